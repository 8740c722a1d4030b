package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.TextConfigs;
import java.util.List;
import java.util.TreeMap;

/**
 * Which states of the image encoder become rows in front of which layers of Granite Vision 4's text
 * model, in the order of those layers.
 *
 * @param list one for a layer; where a configuration has two, the model forgets the first
 */
record Granite4Projectors(List<Projector> list) {
  /**
   * A projector.
   *
   * @param prefix of its tensors in the checkpoint, such as {@code spatial_projectors.0.}
   * @param state of the encoder, 0 for what goes into its first block
   * @param textLayer in front of which its rows are added
   * @param corner of each four patches, or -1 for means
   */
  record Projector(String prefix, int state, int textLayer, int corner) {}

  private static final String MAP = "deepstack_layer_map";
  private static final String TARGETS = "spatial_target_layers";
  private static final int CORNERS = 4;

  static Granite4Projectors of(Context context) {
    HfConfig global = context.folder().config();
    int nText = TextConfigs.of(global).integer("num_hidden_layers");
    int nVision =
        global.section("vision_config", "siglip_vision_model").integer("num_hidden_layers");
    TreeMap<Integer, Projector> byLayer = new TreeMap<>();
    JsonNode map = global.find(MAP);
    for (int i = 0; map != null && i < map.size(); i++) {
      JsonNode pair = map.get(i);
      int layer = layer(global, MAP, pair.path(1), nText);
      int read = state(global, MAP, pair.path(0), nVision);
      byLayer.put(layer, new Projector("layerwise_projectors." + i + ".", read, layer, -1));
    }
    int[] targets = global.integers(TARGETS);
    JsonNode seen = global.find("spatial_vision_layer");
    int state = seen == null ? nVision : state(global, "spatial_vision_layer", seen, nVision);
    for (int i = 0; i < targets.length; i++) {
      if (i >= CORNERS || targets[i] < 0 || targets[i] >= nText) {
        throw global.invalid(
            TARGETS, "up to 4 of the %d layers".formatted(nText), "" + global.find(TARGETS));
      }
      byLayer.put(targets[i], new Projector("spatial_projectors." + i + ".", state, targets[i], i));
    }
    if (byLayer.isEmpty()) {
      throw global.missing(MAP, "pairs of layers of encoder and text model");
    }
    return new Granite4Projectors(List.copyOf(byLayer.values()));
  }

  private static int layer(HfConfig global, String key, JsonNode number, int n) {
    if (!number.canConvertToInt() || number.asInt() < 0 || number.asInt() >= n) {
      throw global.invalid(key, "layers from 0 to " + (n - 1), number.toString());
    }
    return number.asInt();
  }

  /** Numbers below 0 count from the last state, which is what the last block gives. */
  private static int state(HfConfig global, String key, JsonNode number, int nLayer) {
    int value = number.asInt(Integer.MAX_VALUE);
    int state = value < 0 ? nLayer + 1 + value : value;
    if (state < 1 || state > nLayer) {
      throw global.invalid(
          key, "a state behind one of the %d blocks".formatted(nLayer), number.toString());
    }
    return state;
  }

  /** Whether no projector is for the first layer, so that nothing goes into it. */
  boolean emptyFirst() {
    return list.getFirst().textLayer() > 0;
  }

  /** The number of the projector that a tensor of the checkpoint belongs to, or -1. */
  int indexOf(String name) {
    for (int i = 0; i < list.size(); i++) {
      if (name.startsWith(list.get(i).prefix())) {
        return i;
      }
    }
    return -1;
  }
}
