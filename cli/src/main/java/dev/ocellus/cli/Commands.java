package dev.ocellus.cli;

import dev.ocellus.cli.chat.ChatCommand;
import dev.ocellus.cli.chat.DescribeCommand;
import dev.ocellus.cli.chat.OcrCommand;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.generate.GenerateCommand;
import dev.ocellus.cli.generate.ReconstructCommand;
import dev.ocellus.cli.generate.ScoreCommand;
import dev.ocellus.cli.inputs.EncodeCommand;
import dev.ocellus.cli.inputs.TemplateCommand;
import dev.ocellus.cli.inputs.TokenizeCommand;
import dev.ocellus.cli.machine.BenchCommand;
import dev.ocellus.cli.machine.DevicesCommand;
import dev.ocellus.cli.model.CompareCommand;
import dev.ocellus.cli.model.ConvertCommand;
import dev.ocellus.cli.model.DiffCommand;
import dev.ocellus.cli.model.EditCommand;
import dev.ocellus.cli.model.HashCommand;
import dev.ocellus.cli.model.ImatrixCommand;
import dev.ocellus.cli.model.InspectCommand;
import dev.ocellus.cli.model.MergeCommand;
import dev.ocellus.cli.model.ModelsCommand;
import dev.ocellus.cli.model.PerplexityCommand;
import dev.ocellus.cli.model.PullCommand;
import dev.ocellus.cli.model.QuantizeCommand;
import dev.ocellus.cli.model.SplitCommand;
import dev.ocellus.cli.search.ClassifyCommand;
import dev.ocellus.cli.search.DedupeCommand;
import dev.ocellus.cli.search.EmbedCommand;
import dev.ocellus.cli.search.IndexCommand;
import dev.ocellus.cli.search.MatchCommand;
import dev.ocellus.cli.search.SearchCommand;
import dev.ocellus.cli.serve.ServeCommand;
import dev.ocellus.cli.terminal.Io;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The commands by name. None is made before it is asked for: building the options of all of them
 * takes longer than most of them run, and the headers are constants that load no class.
 */
final class Commands {
  private static final Map<String, String> HEADERS = headers();

  private Commands() {}

  private static Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("chat", ChatCommand.HEADER);
    headers.put("describe", DescribeCommand.HEADER);
    headers.put("ocr", OcrCommand.HEADER);
    headers.put("encode", EncodeCommand.HEADER);
    headers.put("embed", EmbedCommand.HEADER);
    headers.put("classify", ClassifyCommand.HEADER);
    headers.put("match", MatchCommand.HEADER);
    headers.put("reconstruct", ReconstructCommand.HEADER);
    headers.put("generate", GenerateCommand.HEADER);
    headers.put("score", ScoreCommand.HEADER);
    headers.put("index", IndexCommand.HEADER);
    headers.put("search", SearchCommand.HEADER);
    headers.put("dedupe", DedupeCommand.HEADER);
    headers.put("tokenize", TokenizeCommand.HEADER);
    headers.put("template", TemplateCommand.HEADER);
    headers.put("convert", ConvertCommand.HEADER);
    headers.put("inspect", InspectCommand.HEADER);
    headers.put("quantize", QuantizeCommand.HEADER);
    headers.put("imatrix", ImatrixCommand.HEADER);
    headers.put("perplexity", PerplexityCommand.HEADER);
    headers.put("compare", CompareCommand.HEADER);
    headers.put("edit", EditCommand.HEADER);
    headers.put("split", SplitCommand.HEADER);
    headers.put("merge", MergeCommand.HEADER);
    headers.put("hash", HashCommand.HEADER);
    headers.put("diff", DiffCommand.HEADER);
    headers.put("pull", PullCommand.HEADER);
    headers.put("models", ModelsCommand.HEADER);
    headers.put("devices", DevicesCommand.HEADER);
    headers.put("bench", BenchCommand.HEADER);
    headers.put("serve", ServeCommand.HEADER);
    headers.put("completion", CompletionCommand.HEADER);
    headers.put("man", ManCommand.HEADER);
    return headers;
  }

  /** In the order in which help shows them. */
  static Set<String> names() {
    return HEADERS.keySet();
  }

  /** What a command does, in one line. */
  static String header(String name) {
    return HEADERS.getOrDefault(name, "");
  }

  /** Makes a command of {@link #names()}. */
  static OcellusCommand create(String name, Io io) {
    return switch (name) {
      case "chat" -> new ChatCommand(io);
      case "describe" -> new DescribeCommand(io);
      case "ocr" -> new OcrCommand(io);
      case "encode" -> new EncodeCommand(io);
      case "embed" -> new EmbedCommand(io);
      case "classify" -> new ClassifyCommand(io);
      case "match" -> new MatchCommand(io);
      case "generate" -> new GenerateCommand(io);
      case "score" -> new ScoreCommand(io);
      case "reconstruct" -> new ReconstructCommand(io);
      case "index" -> new IndexCommand(io);
      case "search" -> new SearchCommand(io);
      case "dedupe" -> new DedupeCommand(io);
      case "tokenize" -> new TokenizeCommand(io);
      case "template" -> new TemplateCommand(io);
      case "convert" -> new ConvertCommand(io);
      case "inspect" -> new InspectCommand(io);
      case "quantize" -> new QuantizeCommand(io);
      case "imatrix" -> new ImatrixCommand(io);
      case "perplexity" -> new PerplexityCommand(io);
      case "compare" -> new CompareCommand(io);
      case "edit" -> new EditCommand(io);
      case "split" -> new SplitCommand(io);
      case "merge" -> new MergeCommand(io);
      case "hash" -> new HashCommand(io);
      case "diff" -> new DiffCommand(io);
      case "pull" -> new PullCommand(io);
      case "models" -> new ModelsCommand(io);
      case "devices" -> new DevicesCommand(io);
      case "bench" -> new BenchCommand(io);
      case "serve" -> new ServeCommand(io);
      case "completion" -> new CompletionCommand(io);
      case "man" -> new ManCommand(io);
      default -> throw new IllegalArgumentException("no command " + name);
    };
  }
}
