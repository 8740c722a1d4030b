package dev.ocellus.quantize;

import dev.ocellus.Setting;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufTensor;

/** Finds out whether a plan can be carried out, before anything is computed. */
final class PlanChecks {
  private PlanChecks() {}

  static void check(QuantizePlan plan) {
    for (PlannedTensor t : plan.tensors()) {
      if (t.changes()) {
        requireImportance(plan, t);
        requireConvertible(plan, t);
      }
    }
  }

  private static void requireImportance(QuantizePlan plan, PlannedTensor t) {
    boolean needed = t.needsImportance() || RowCodec.needsImportance(t.type());
    if (!needed || ImportanceLookup.tensor(plan.options().importance(), t.tensor()) != null) {
      return;
    }
    throw new MissingImportanceException(
            plan.options().importance() == null
                ? "%s as %s would be useless without an importance matrix. Make one from texts or chats, or choose a type of more bits."
                    .formatted(t.name(), t.type().ggmlName())
                : "%s as %s would be useless, as the importance matrix %s has no entry for it. Make one from text or images that use it, or give it another type."
                    .formatted(t.name(), t.type().ggmlName(), plan.options().importance().file()))
        .about(Setting.IMPORTANCE_MATRIX, Setting.TENSOR_TYPE);
  }

  private static void requireConvertible(QuantizePlan plan, PlannedTensor planned) {
    GgufTensor t = planned.tensor();
    if (t.type().isQuantized() && !plan.options().allowRequantize()) {
      throw new QuantizeException(
              "%s is %s already, and quantizing again loses more. Quantize the original of 16 or 32 bits, or allow quantizing again."
                  .formatted(t.name(), t.type().ggmlName()))
          .about(Setting.ALLOW_REQUANTIZE);
    }
    if (!RowCodec.canDecode(t.type()) || !RowCodec.canEncode(planned.type())) {
      throw new QuantizeException(
              "%s cannot be converted from %s to %s. Leave it as it is, or choose another type."
                  .formatted(t.name(), t.type().ggmlName(), planned.type().ggmlName()))
          .about(Setting.TENSOR_TYPE);
    }
    if (t.dim(0) % planned.type().blockSize() != 0) {
      throw new QuantizeException(
          "%s: rows of %d do not fill blocks of %d, which %s has"
              .formatted(
                  t.name(), t.dim(0), planned.type().blockSize(), planned.type().ggmlName()));
    }
    ImportanceLookup.requireSome(plan.options().importance(), t, planned.type());
  }
}
