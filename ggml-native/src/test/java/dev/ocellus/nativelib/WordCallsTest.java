package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WordCallsTest {
  private static MemorySegment c(String name) {
    return Linker.nativeLinker().defaultLookup().find(name).orElseThrow();
  }

  @Test
  void integersKeepTheirSign() {
    assertThat((int) WordCalls.call(c("abs"), WordCalls.word(-3))).isEqualTo(3);
    assertThat(WordCalls.call(c("labs"), WordCalls.word(Long.MIN_VALUE + 1)))
        .isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void pointersGoInAndComeOut() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom("words");
      assertThat(WordCalls.call(c("strlen"), text)).isEqualTo(5);
      MemorySegment found =
          WordCalls.pointer(WordCalls.call(c("strchr"), text, WordCalls.word('r')));
      assertThat(found.getString(0)).isEqualTo("rds");
    }
  }

  @Test
  void memoryThatIsNoMoreOrNotNativeIsRefused() {
    MemorySegment closed;
    try (Arena arena = Arena.ofConfined()) {
      closed = arena.allocateFrom("gone");
    }
    assertThatIllegalStateException().isThrownBy(() -> WordCalls.call(c("strlen"), closed));
    MemorySegment heap = MemorySegment.ofArray(new byte[] {'a', 0});
    assertThatIllegalArgumentException().isThrownBy(() -> WordCalls.call(c("strlen"), heap));
    assertThatNullPointerException().isThrownBy(() -> WordCalls.call(c("strlen"), nothing()));
  }

  @SuppressWarnings("NullAway") // what the test is about
  private static MemorySegment nothing() {
    return null;
  }

  static long sum(long... values) {
    long sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += (i + 1) * values[i];
    }
    return sum;
  }

  /** Every argument arrives in its place, whatever their number. */
  @Test
  void argumentsKeepTheirOrder() throws ReflectiveOperationException {
    var sum =
        MethodHandles.lookup()
            .findStatic(
                WordCallsTest.class, "sum", MethodType.methodType(long.class, long[].class));
    for (int n = 0; n <= WordCalls.MAX_ARGUMENTS; n++) {
      var layouts = new ValueLayout.OfLong[n];
      Arrays.fill(layouts, ValueLayout.JAVA_LONG);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment stub =
            Linker.nativeLinker()
                .upcallStub(
                    sum.asCollector(long[].class, n),
                    FunctionDescriptor.of(ValueLayout.JAVA_LONG, layouts),
                    arena);
        Object[] arguments =
            IntStream.range(0, n).mapToObj(i -> i % 2 == 0 ? (Object) (long) -i : i).toArray();
        long expected = sum(IntStream.range(0, n).mapToLong(i -> i % 2 == 0 ? -i : i).toArray());
        assertThat(WordCalls.callAny(stub, arguments)).isEqualTo(expected);
      }
    }
  }

  @Test
  void floatsAndStructsAreNoWords() {
    assertThat(WordCalls.areWords(FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))).isTrue();
    assertThat(WordCalls.areWords(FunctionDescriptor.of(ValueLayout.JAVA_FLOAT))).isFalse();
    assertThat(WordCalls.areWords(FunctionDescriptor.ofVoid(ValueLayout.JAVA_DOUBLE))).isFalse();
  }
}
