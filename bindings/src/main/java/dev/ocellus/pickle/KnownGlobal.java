package dev.ocellus.pickle;

import dev.ocellus.safetensors.SafetensorsType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something that a pickle names by module and name: everything that PyTorch writes into a state
 * dict.
 *
 * @param role what it is
 * @param type of elements, for a storage or a dtype
 */
record KnownGlobal(Role role, @Nullable SafetensorsType type) {
  /** What a global is. */
  enum Role {
    ORDERED_DICT,
    SET,
    ENCODE,
    SIZE,
    DEVICE,
    DTYPE,
    STORAGE,
    TENSOR_CLASS,
    TENSOR,
    TENSOR_V2,
    TENSOR_V3,
    PARAMETER,
    FROM_TYPE,
    /** What training scripts keep beside the weights; nothing is made of it. */
    SKIPPED
  }

  private static final Map<String, KnownGlobal> ALL = new LinkedHashMap<>();

  /**
   * Modules of PyTorch Lightning and of the settings that it saves: callbacks, metrics, what a run
   * was told.
   */
  private static final List<String> SKIPPED_MODULES =
      List.of(
          "pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities", "omegaconf");

  static {
    know(Role.ORDERED_DICT, "collections.OrderedDict");
    know(
        Role.SET, "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset");
    know(Role.ENCODE, "_codecs.encode"); // bytes in protocols that have none
    know(Role.SIZE, "torch.Size");
    know(Role.DEVICE, "torch.device");
    know(
        Role.TENSOR_CLASS,
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
        "torch.nn.parameter.Buffer");
    know(Role.TENSOR, "torch._utils._rebuild_tensor");
    know(Role.TENSOR_V2, "torch._utils._rebuild_tensor_v2");
    know(Role.TENSOR_V3, "torch._utils._rebuild_tensor_v3");
    know(
        Role.PARAMETER,
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state");
    know(Role.FROM_TYPE, "torch._tensor._rebuild_from_type_v2");
    know(
        Role.SKIPPED,
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
        "numpy.dtypes.Float64DType",
        "collections.defaultdict",
        "argparse.Namespace",
        "pathlib.PosixPath",
        "typing.Any",
        "builtins.dict",
        "builtins.list",
        "builtins.int",
        "builtins.float",
        "builtins.bool",
        "builtins.str",
        "__builtin__.dict",
        "__builtin__.list",
        "__builtin__.int");
    type(SafetensorsType.F64, "Double", "float64", "double");
    type(SafetensorsType.F32, "Float", "float32", "float");
    type(SafetensorsType.F16, "Half", "float16", "half");
    type(SafetensorsType.BF16, "BFloat16", "bfloat16");
    type(SafetensorsType.I64, "Long", "int64", "long");
    type(SafetensorsType.I32, "Int", "int32", "int");
    type(SafetensorsType.I16, "Short", "int16", "short");
    type(SafetensorsType.I8, "Char", "int8");
    type(SafetensorsType.U8, "Byte", "uint8");
    type(SafetensorsType.BOOL, "Bool", "bool");
    type(SafetensorsType.U16, null, "uint16");
    type(SafetensorsType.U32, null, "uint32");
    type(SafetensorsType.U64, null, "uint64");
    type(SafetensorsType.F8_E4M3, null, "float8_e4m3fn");
    type(SafetensorsType.F8_E5M2, null, "float8_e5m2");
    type(SafetensorsType.F8_E8M0, null, "float8_e8m0fnu");
    KnownGlobal untyped = new KnownGlobal(Role.STORAGE, SafetensorsType.U8);
    ALL.put("torch.storage.UntypedStorage", untyped);
    ALL.put("torch.UntypedStorage", untyped);
  }

  private static void know(Role role, String... names) {
    for (String name : names) {
      ALL.put(name, new KnownGlobal(role, null));
    }
  }

  private static void type(SafetensorsType type, @Nullable String storage, String... dtypes) {
    if (storage != null) {
      ALL.put("torch." + storage + "Storage", new KnownGlobal(Role.STORAGE, type));
      ALL.put("torch.cuda." + storage + "Storage", new KnownGlobal(Role.STORAGE, type));
    }
    for (String dtype : dtypes) {
      ALL.put("torch." + dtype, new KnownGlobal(Role.DTYPE, type));
    }
  }

  /**
   * @throws PickleFormatException if it is none of a state dict
   */
  static KnownGlobal of(PickleInput in, String module, String name) {
    KnownGlobal known = ALL.get(module + "." + name);
    if (known == null && isSkipped(module)) {
      return new KnownGlobal(Role.SKIPPED, null);
    }
    if (known == null) {
      throw new PickleFormatException(
          in.file(),
          "pickle at byte %d".formatted(in.position()),
          "only what a state dict of tensors needs",
          PickleFormatException.quote(module + "." + name),
          "A pickle can run any program with such names; nothing of this one was run. Save the tensors alone "
              + "(model.state_dict()), or as safetensors.");
    }
    return known;
  }

  private static boolean isSkipped(String module) {
    return SKIPPED_MODULES.stream().anyMatch(m -> module.equals(m) || module.startsWith(m + "."));
  }

  /** Whether an object of it may be made without a call. */
  boolean isMadeEmpty() {
    return role == Role.ORDERED_DICT || role == Role.SET || role == Role.SKIPPED;
  }

  /** What PyTorch's function of this name makes. */
  Object call(PickleInput in, List<Object> a) {
    return switch (role) {
      case ORDERED_DICT -> orderedDict(in, a);
      case SET -> a.isEmpty() ? new ArrayList<>(0) : list(in, argument(in, a, 0));
      case ENCODE -> encoded(in, a);
      case SIZE -> new PickleMachine.Tuple(list(in, argument(in, a, 0)));
      case DEVICE -> PickleMachine.Nil.NONE; // where a tensor was does not matter
      case TENSOR, TENSOR_V2 -> tensor(in, a, storage(in, a).type());
      case TENSOR_V3 -> tensor(in, a, dtype(in, argument(in, a, 6)));
      case PARAMETER -> view(in, argument(in, a, 0));
      case FROM_TYPE -> fromType(in, a);
      case SKIPPED -> PickleMachine.Skipped.ONE;
      case DTYPE, STORAGE, TENSOR_CLASS ->
          throw in.bad("a call", "a function", "a type of PyTorch");
    };
  }

  private static Object orderedDict(PickleInput in, List<Object> a) {
    Map<Object, Object> out = new LinkedHashMap<>();
    if (a.isEmpty()) {
      return out;
    }
    for (Object pair : list(in, a.getFirst())) { // as Python 2 wrote them
      in.spend(1);
      List<Object> keyAndValue = list(in, pair);
      if (keyAndValue.size() != 2 || !(keyAndValue.getFirst() instanceof String)) {
        throw in.bad("an OrderedDict", "pairs of a name and a value", "others");
      }
      out.put(keyAndValue.getFirst(), keyAndValue.getLast());
    }
    return out;
  }

  private static Object encoded(PickleInput in, List<Object> a) {
    if (!(argument(in, a, 0) instanceof String text)
        || !(argument(in, a, 1) instanceof String charset)
        || !charset.replace("-", "").equals("latin1")) {
      throw in.bad("bytes", "a text and 'latin1'", "other values");
    }
    in.spendBytes(text.length());
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** {@code _rebuild_from_type_v2(function, type, arguments, state)}: a tensor with attributes. */
  private static Object fromType(PickleInput in, List<Object> a) {
    if (!(argument(in, a, 0) instanceof KnownGlobal function)
        || function.role == Role.FROM_TYPE
        || !(argument(in, a, 1) instanceof KnownGlobal type)
        || type.role != Role.TENSOR_CLASS) {
      throw in.bad("a tensor with attributes", "a function of PyTorch and its type", "others");
    }
    return view(in, function.call(in, list(in, argument(in, a, 2))));
  }

  private static TensorView tensor(PickleInput in, List<Object> a, SafetensorsType type) {
    return TensorView.of(
        in,
        storage(in, a),
        type,
        integer(in, argument(in, a, 1)),
        integers(in, argument(in, a, 2)),
        integers(in, argument(in, a, 3)));
  }

  private static Storage storage(PickleInput in, List<Object> a) {
    if (!(argument(in, a, 0) instanceof Storage storage)) {
      throw in.bad("a tensor", "its storage", "another value");
    }
    return storage;
  }

  private static SafetensorsType dtype(PickleInput in, Object value) {
    if (!(value instanceof KnownGlobal known) || known.role != Role.DTYPE || known.type == null) {
      throw in.bad("a tensor", "its dtype", "another value");
    }
    return known.type;
  }

  private static TensorView view(PickleInput in, Object value) {
    if (!(value instanceof TensorView view)) {
      throw in.bad("a parameter", "a tensor", "another value");
    }
    return view;
  }

  private static Object argument(PickleInput in, List<Object> a, int i) {
    if (i >= a.size()) {
      throw in.bad("a call", "at least %d values".formatted(i + 1), Integer.toString(a.size()));
    }
    return a.get(i);
  }

  static long integer(PickleInput in, Object value) {
    if (!(value instanceof Long n)) {
      throw in.bad("a number", "an integer of 64 bits", "another value");
    }
    return n;
  }

  private static long[] integers(PickleInput in, Object value) {
    List<Object> values = list(in, value);
    if (values.size() > TensorView.MAX_DIMS) {
      throw in.bad("a tensor", "at most 64 dimensions", Integer.toString(values.size()));
    }
    return values.stream().mapToLong(v -> integer(in, v)).toArray();
  }

  /** The elements of a tuple or list. */
  @SuppressWarnings("unchecked") // lists are made by the machine alone
  static List<Object> list(PickleInput in, Object value) {
    if (value instanceof PickleMachine.Tuple tuple) {
      return tuple.values;
    }
    if (value instanceof List) {
      return (List<Object>) value;
    }
    throw in.bad("a sequence", "a tuple or list", "another value");
  }
}
