package dev.ocellus.cli.machine;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.llama.Threads;
import dev.ocellus.nativelib.BackendReport;
import dev.ocellus.nativelib.NativeInfo;
import dev.ocellus.nativelib.NativeLibraries;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;

/** The hardware that ggml sees here, and the native libraries in use. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = DevicesCommand.HEADER,
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus devices",
      "  ocellus devices --json",
      "",
      "Exit codes: 0 done, 1 the native libraries cannot be loaded, 2 wrong command line."
    })
public final class DevicesCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Shows the hardware and native libraries in use.";

  public DevicesCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() {
    List<Device> devices = Device.all();
    NativeInfo info = NativeLibraries.info();
    BackendReport report = NativeLibraries.loadBackends();
    Accel.Status products = Accel.status();
    if (printsJson()) {
      printJson(json(devices, info, report, products));
    } else {
      print(devices, info, report, products);
    }
    return ExitCode.OK;
  }

  private static ObjectNode json(
      List<Device> devices, NativeInfo info, BackendReport report, Accel.Status products) {
    ObjectNode json = Json.object();
    ArrayNode array = json.putArray("devices");
    for (Device device : devices) {
      ObjectNode node = array.addObject();
      node.put("name", device.name());
      node.put("description", device.description());
      node.put("kind", device.kind().name().toLowerCase(Locale.ROOT));
      node.put("total_memory", device.totalMemory());
      node.put("free_memory", device.freeMemory());
      ArrayNode features = node.putArray("features");
      device.features().forEach(features::add);
    }
    json.put("gpu_problem", report.gpuProblem().orElse(null));
    json.putObject("native")
        .put("source", info.source().name().toLowerCase(Locale.ROOT))
        .put("platform", info.platform().map(Object::toString).orElse(null))
        .put("directory", info.directory().toString())
        .put("llama_cpp", info.version().llama())
        .put("ggml", info.version().ggml())
        .put("commit", info.version().commit());
    ObjectNode accelerator = json.putObject("accelerator");
    accelerator.put("kernels", products.description().orElse(null));
    ArrayNode reasons = accelerator.putArray("reasons");
    products.reasons().forEach(reasons::add);
    json.put("physical_cores", Threads.physicalCores());
    json.put("java", Runtime.version().toString());
    json.put("ocellus", Version.number());
    return json;
  }

  private void print(
      List<Device> devices, NativeInfo info, BackendReport report, Accel.Status products) {
    PrintStream out = io().out();
    for (Device device : devices) {
      out.println(
          "%-8s %s (%s)".formatted(device.name(), device.description(), kind(device.kind())));
      if (device.totalMemory() > 0) {
        out.println(
            "         memory: %d MiB, %d MiB free"
                .formatted(device.totalMemory() >> 20, device.freeMemory() >> 20));
      }
      if (!device.features().isEmpty()) {
        out.println("         features: " + String.join(", ", device.features()));
      }
    }
    report.gpuProblem().ifPresent(problem -> out.println("GPU not used: " + problem));
    out.println(
        "large products of F32, F16 and BF16 on the CPU: " + products.description().orElse("ggml"));
    products.reasons().forEach(reason -> out.println("         " + reason));
    out.println("physical cores: " + Threads.physicalCores());
    out.println(
        "native libraries: llama.cpp %s, ggml %s, %s"
            .formatted(info.version().llama(), info.version().ggml(), info.directory()));
    out.println("Java " + Runtime.version());
  }

  private static String kind(Device.Kind kind) {
    return switch (kind) {
      case CPU -> "processor";
      case GPU -> "graphics processor";
      case INTEGRATED_GPU -> "graphics processor with shared memory";
      case ACCELERATOR -> "accelerator";
    };
  }
}
