package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.image.codec.VideoReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One conversation with what transformers made of it. */
final class ReferenceCase {
  private static final String CROSS_ATTENTION_STATES = "cross_attention_states";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of Qwen-VL, whose cases give the prompt in place of messages. */
  private static final String IMAGE_START = "image_start_id";

  private static final int MAX_LAYERS = 64;

  private static final Pattern NAMED_IMAGE = Pattern.compile("<img>.*?</img>");
  private static final Pattern QUESTION = Pattern.compile("</img>\n([^<]*)<\\|im_end");

  private final Path root;
  private final Path directory;
  private final JsonNode json;

  private ReferenceCase(Path root, Path directory, JsonNode json) {
    this.root = root;
    this.directory = directory;
    this.json = json;
  }

  static ReferenceCase read(Path root, Path directory) {
    try {
      return new ReferenceCase(
          root, directory, JSON.readTree(directory.resolve("case.json").toFile()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String name() {
    return directory.getFileName().toString();
  }

  boolean isConversation() {
    return (json.has("messages") || json.has(IMAGE_START) || isPlain()) && json.has("greedy");
  }

  /** Whether the reference's processor takes images and a text, and no template is rendered. */
  boolean isPlain() {
    return json.has("qformer_input_ids");
  }

  /**
   * Whether a rendered prompt is the reference's; plain cases have none, and tasks stand for one.
   */
  boolean isPrompt(String rendered) {
    return isPlain() || json.has("task_prompt") || rendered.equals(prompt());
  }

  /** What is asked, for encoders that read it with the images. */
  String instruction() {
    return isPlain() ? prompt() : "";
  }

  /** What beam searches find, each with its options. */
  JsonNode beams() {
    return json.path("beams");
  }

  /** The prompt; without the names of images, which have no influence. */
  String prompt() {
    String prompt = json.get("prompt").asText();
    return json.has(IMAGE_START) ? NAMED_IMAGE.matcher(prompt).replaceAll("<img></img>") : prompt;
  }

  /** Ids of the prompt; -1 at the rows of images. */
  int[] promptTokens() {
    if (json.has(IMAGE_START)) {
      return promptTokensBetween(json.get(IMAGE_START).asInt(), json.get("image_end_id").asInt());
    }
    int imageToken = json.get("image_token_id").asInt();
    int[] ids = ints("input_ids");
    for (int i = 0; i < ids.length; i++) {
      ids[i] = ids[i] == imageToken ? -1 : ids[i];
    }
    return ids;
  }

  private int[] promptTokensBetween(int start, int end) {
    int[] ids = ints("input_ids");
    boolean inside = false;
    for (int i = 0; i < ids.length; i++) {
      boolean ends = ids[i] == end;
      boolean starts = ids[i] == start;
      ids[i] = inside && !ends ? -1 : ids[i];
      inside = starts || inside && !ends;
    }
    return ids;
  }

  int[] greedy() {
    return ints("greedy");
  }

  /** How far the best logit is ahead of the second, for each greedy token. */
  double margin(int step) {
    return json.get("greedy_margin").get(step).asDouble();
  }

  private int[] ints(String key) {
    JsonNode array = json.get(key);
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }

  List<Message> messages() {
    List<Message> messages = new ArrayList<>();
    if (isPlain()) {
      List<Content> parts = new ArrayList<>();
      json.get("images").forEach(name -> parts.add(new Content.Image(image(name.asText()), "")));
      parts.add(new Content.Text(prompt()));
      return List.of(new Message(Role.USER, parts));
    }
    if (!json.has("messages")) {
      return List.of(question());
    }
    for (JsonNode message : json.get("messages")) {
      Role role = Role.of(message.get("role").asText());
      if (message.get("content").isTextual()) {
        messages.add(Message.of(role, message.get("content").asText()));
        continue;
      }
      List<Content> parts = new ArrayList<>();
      for (JsonNode part : message.get("content")) {
        parts.add(
            switch (part.get("type").asText()) {
              case "image" -> new Content.Image(image(part.get("image").asText()), "");
              case "video" ->
                  new Content.Video(
                      video(part.get("video").asText(), part.get("fps").asDouble()), "");
              default -> new Content.Text(part.get("text").asText());
            });
      }
      messages.add(new Message(role, parts));
    }
    return messages;
  }

  /** The images, then the text behind them in the prompt. */
  private Message question() {
    List<Content> parts = new ArrayList<>();
    for (JsonNode image : json.get("images")) {
      parts.add(new Content.Image(image(image.asText()), ""));
    }
    Matcher m = QUESTION.matcher(json.get("prompt").asText());
    if (!m.find()) {
      throw new IllegalStateException(directory + ": no text behind the images");
    }
    parts.add(new Content.Text(m.group(1)));
    return new Message(Role.USER, parts);
  }

  /** Whether long images are followed by crops of them. */
  boolean panAndScan() {
    return json.path("pan_and_scan").asBoolean();
  }

  /** The images and videos, in the order of the conversation. */
  List<Visual> visuals() {
    return messages().stream().flatMap(m -> m.visuals().stream()).toList();
  }

  private Video video(String name, double fps) {
    try {
      return VideoReader.read(
          root.resolve("clips").resolve(name), OptionalDouble.of(fps), ImageLimits.DEFAULT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private RgbImage image(String name) {
    try {
      return ImageDecoder.decode(root.resolve("images").resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tensors; the caller closes the file. */
  SafetensorsFile expected() {
    try {
      return SafetensorsFile.open(directory.resolve("expected.safetensors"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Rows of the images as the text model takes them: the projector's, and behind each what is added
   * after layers of the text model.
   */
  float[] rows(SafetensorsFile expected) {
    if (hasStatesOnly(expected)) {
      return expected.floats(CROSS_ATTENTION_STATES);
    }
    List<float[]> parts = layerFeatures(expected);
    if (parts.isEmpty()) {
      parts.add(expected.floats("projector.out"));
    }
    while (expected.contains("deepstack." + (parts.size() - 1))) {
      parts.add(expected.floats("deepstack." + (parts.size() - 1)));
    }
    int width = parts.getFirst().length / nImageTokens();
    float[] rows = new float[parts.size() * parts.getFirst().length];
    for (int i = 0; i < rows.length / width; i++) {
      float[] part = parts.get(i % parts.size());
      System.arraycopy(part, i / parts.size() * width, rows, i * width, width);
    }
    return rows;
  }

  /**
   * Whether the text model attends to the images instead of taking their rows (Llama 3.2 Vision).
   * Our row of such an image has its number of tiles behind the states.
   */
  static boolean hasStatesOnly(SafetensorsFile expected) {
    return !expected.contains("projector.out") && expected.contains(CROSS_ATTENTION_STATES);
  }

  /** What is added in front of layers, the first of which is what goes into the text model. */
  private static List<float[]> layerFeatures(SafetensorsFile expected) {
    List<float[]> parts = new ArrayList<>();
    for (int layer = 0; layer < MAX_LAYERS; layer++) {
      String name = "layer_features." + layer;
      if (expected.contains(name)) {
        float[] rows = expected.floats(name);
        if (parts.isEmpty() && layer > 0) {
          parts.add(new float[rows.length]);
        }
        parts.add(rows);
      }
    }
    return parts;
  }

  private int nImageTokens() {
    return json.has(IMAGE_START)
        ? json.get("n_queries").asInt() * json.get("images").size()
        : json.get("n_image_tokens").asInt();
  }

  /** Whether the reference has the patches of all tiles of all images side by side. */
  boolean isInBands() {
    return json.path("image_processor_class").asText().startsWith("MiniCPMV4_6");
  }

  /** Those planes tile by tile, of which the expectation tells the grids. */
  private static float[] planes(SafetensorsFile expected, float[] bands, List<Long> shape) {
    long[] grids = expected.longs("target_sizes"); // rows and columns
    int side = Math.toIntExact(shape.get(2));
    int length = Math.toIntExact(shape.get(3));
    float[] planes = new float[bands.length];
    int to = 0;
    int column = 0;
    for (int i = 0; i < grids.length; i += 2) {
      int width = (int) grids[i + 1] * side;
      int height = (int) grids[i] * side;
      for (int y = 0; y < 3 * height; y++, to += width) {
        int line = y / height * side + y % side;
        int from = line * length + column + y % height / side * width;
        System.arraycopy(bands, from, planes, to, width);
      }
      column += (int) grids[i] * width;
    }
    return planes;
  }

  /** Pixels after preprocessing, whether stored as floats or as bytes with mean and deviation. */
  float[] pixelValues(SafetensorsFile expected) {
    if (json.path("image_processor_class").asText().startsWith("Pixtral")) {
      return unpadded(expected);
    }
    if (json.has("num_local_patches")) {
      return tilesBeforeWholes(expected);
    }
    if (expected.contains("pixel_values")) {
      float[] values = expected.floats("pixel_values");
      List<Long> shape = expected.shape("pixel_values");
      if (isInBands()) {
        return planes(expected, values, shape);
      }
      return shape.size() == 5 ? withoutZeroTiles(values, shape) : values;
    }
    long[] bytes = expected.longs("pixel_values.u8");
    List<Long> shape = expected.shape("pixel_values.u8");
    JsonNode how = json.get("pixel_values_u8");
    JsonNode means = how.has("mean") ? how.get("mean") : how.get("image_mean");
    JsonNode stds = how.has("std") ? how.get("std") : how.get("image_std");
    // [..., 3, height, width], or patches [n, 3 * perChannel]
    int perChannel =
        shape.size() == 2
            ? (int) (shape.get(1) / 3)
            : (int) (shape.get(shape.size() - 1) * shape.get(shape.size() - 2));
    boolean fused = how.path("formula").asText().startsWith("(u8 - mean * 255)");
    float[] values = new float[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      int c = i / perChannel % 3;
      float mean = (float) means.get(c).asDouble();
      float std = (float) stds.get(c).asDouble();
      values[i] =
          fused ? (bytes[i] - mean * 255) / (std * 255) : ((float) bytes[i] / 255 - mean) / std;
    }
    if (how.path("zero_where_mask_is_0").asBoolean()) {
      clearPadding(values, expected.longs("pixel_attention_mask"));
    }
    if (isInBands()) {
      return planes(expected, values, shape);
    }
    return values;
  }

  /** Patches that a tile has not are zero, whatever their bytes. */
  private static void clearPadding(float[] values, long[] mask) {
    int length = values.length / mask.length;
    for (int i = 0; i < mask.length; i++) {
      if (mask[i] == 0) {
        Arrays.fill(values, i * length, (i + 1) * length, 0);
      }
    }
  }

  /**
   * DeepSeek-OCR's processor gives tiles and whole images apart; here tiles stand before theirs.
   */
  private float[] tilesBeforeWholes(SafetensorsFile expected) {
    float[] wholes = bytes(expected, "pixel_values");
    float[] tiles =
        expected.contains("pixel_values_local.u8")
            ? bytes(expected, "pixel_values_local")
            : new float[0];
    int[] counts = ints("num_local_patches");
    int nTiles = Arrays.stream(counts).sum();
    int whole = wholes.length / counts.length;
    int tile = nTiles == 0 ? 0 : tiles.length / nTiles;
    List<float[]> all = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < counts.length; i++) {
      all.add(Arrays.copyOfRange(tiles, at, at + counts[i] * tile));
      at += counts[i] * tile;
      all.add(Arrays.copyOfRange(wholes, i * whole, (i + 1) * whole));
    }
    return Difference.concat(all);
  }

  /** Tiles [n, 3, side, side] that are stored as bytes, with one mean and deviation. */
  private float[] bytes(SafetensorsFile expected, String name) {
    JsonNode how = json.get(name + "_u8");
    JsonNode means = how.has("mean") ? how.get("mean") : how.get("image_mean");
    JsonNode stds = how.has("std") ? how.get("std") : how.get("image_std");
    float mean = (float) means.get(0).asDouble();
    float std = (float) stds.get(0).asDouble();
    long[] stored = expected.longs(name + ".u8");
    float[] values = new float[stored.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = ((float) stored[i] / 255 - mean) / std;
    }
    return values;
  }

  /**
   * Processors that cut tiles give all images of a prompt as many of them, [images, tiles, 3,
   * height, width]; those added are zero throughout, which those of an image cannot be.
   */
  private static float[] withoutZeroTiles(float[] values, List<Long> shape) {
    int length = Math.toIntExact(shape.get(2) * shape.get(3) * shape.get(4));
    List<float[]> tiles = new ArrayList<>();
    for (int from = 0; from < values.length; from += length) {
      float[] tile = Arrays.copyOfRange(values, from, from + length);
      for (float value : tile) {
        if (value != 0) {
          tiles.add(tile);
          break;
        }
      }
    }
    return Difference.concat(tiles);
  }

  /** Pixtral's processor pads the images of a prompt to one size, which its model cuts off. */
  private static float[] unpadded(SafetensorsFile expected) {
    float[] padded = expected.floats("pixel_values"); // [n, 3, height, width]
    long[] sizes = expected.longs("image_sizes"); // [n, 2], height first
    List<Long> shape = expected.shape("pixel_values");
    int height = Math.toIntExact(shape.get(2));
    int width = Math.toIntExact(shape.get(3));
    List<float[]> images = new ArrayList<>();
    for (int i = 0; i < sizes.length / 2; i++) {
      int h = (int) sizes[2 * i];
      int w = (int) sizes[2 * i + 1];
      float[] image = new float[3 * h * w];
      for (int line = 0; line < 3 * h; line++) {
        int from = ((3 * i + line / h) * height + line % h) * width;
        System.arraycopy(padded, from, image, line * w, w);
      }
      images.add(image);
    }
    return Difference.concat(images);
  }
}
