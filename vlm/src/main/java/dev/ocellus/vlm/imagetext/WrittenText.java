package dev.ocellus.vlm.imagetext;

import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.util.List;

/**
 * What a decoder wrote behind what it went on from.
 *
 * @param tokens without the one that ended it
 * @param logProbs for each token, as far as they were asked for
 */
record WrittenText(
    String text,
    int[] tokens,
    StopReason reason,
    List<TopLogProbs> logProbs,
    double prefillMillis,
    double decodeMillis) {}
