package dev.ocellus.tests.nativeimage;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.UnionLayout;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A function descriptor in the words of GraalVM's metadata.
 *
 * @see <a
 *     href="https://www.graalvm.org/latest/reference-manual/native-image/native-code-interoperability/ffm-api/">its
 *     syntax</a>
 */
record ForeignCall(String returnType, List<String> parameterTypes)
    implements Comparable<ForeignCall> {
  static ForeignCall of(FunctionDescriptor function) {
    return new ForeignCall(
        function.returnLayout().map(ForeignCall::name).orElse("void"),
        function.argumentLayouts().stream().map(ForeignCall::name).toList());
  }

  private static String name(MemoryLayout layout) {
    return switch (layout) {
      case AddressLayout pointer -> "void*";
      case ValueLayout value -> "j" + value.carrier().getSimpleName();
      case PaddingLayout padding -> "padding(" + padding.byteSize() + ")";
      case SequenceLayout sequence ->
          "sequence(" + sequence.elementCount() + ", " + name(sequence.elementLayout()) + ")";
      case StructLayout struct -> "struct(" + names(struct.memberLayouts()) + ")";
      case UnionLayout union -> "union(" + names(union.memberLayouts()) + ")";
    };
  }

  private static String names(List<MemoryLayout> layouts) {
    return layouts.stream().map(ForeignCall::name).collect(Collectors.joining(", "));
  }

  /** A line, which {@link #parse} reads. */
  String line() {
    return returnType + "\t" + String.join("\t", parameterTypes);
  }

  static ForeignCall parse(String line) {
    List<String> words = List.of(line.split("\t"));
    return new ForeignCall(words.getFirst(), words.subList(1, words.size()));
  }

  @Override
  public int compareTo(ForeignCall other) {
    return line().compareTo(other.line());
  }
}
