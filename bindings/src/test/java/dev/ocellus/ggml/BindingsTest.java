package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BindingsTest {
  @Test
  void theLibrariesHaveAllFunctions() {
    Ggml.initializeFully();
    Bindings.requireFunctions();
  }

  @Test
  void librariesThatLackFunctionsAreRefusedByName() {
    SymbolLookup all = NativeLibraries.symbols();
    SymbolLookup less = name -> name.equals("llama_decode") ? Optional.empty() : all.find(name);
    assertThatThrownBy(() -> Bindings.requireFunctions(less, "somewhere"))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("the libraries in somewhere")
        .hasMessageContaining("lack 1 of the functions")
        .hasMessageContaining("llama_decode")
        .hasMessageContaining("Build llama.cpp at the tag");
    assertThatThrownBy(() -> Bindings.requireFunctions(n -> Optional.empty(), "somewhere"))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining(", …");
  }

  @Test
  void aFlagTellsWhoWatchesIt() {
    CancellationFlag flag = new CancellationFlag();
    AtomicInteger told = new AtomicInteger();
    flag.whileWatched(
        told::incrementAndGet,
        () -> {
          assertThat(told).hasValue(0);
          flag.cancel();
          assertThat(told).hasValue(1);
          return true;
        });
    flag.cancel();
    assertThat(told).hasValue(1);
    assertThat(flag.isCancelled()).isTrue();
    flag.whileWatched(told::incrementAndGet, () -> true); // set already
    assertThat(told).hasValue(2);
  }

  @Test
  void whatIsThrownOnAnotherThreadIsThrownHere() {
    assertThatThrownBy(() ->
            NativeStack.callOnOwnThread(() -> {
              throw new IllegalStateException("there");
            }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("there");
    assertThat(NativeStack.hasRoom(NativeStack.ROOM)).isTrue();
    assertThat(NativeStack.hasRoom(1 << 30)).isFalse();
  }
}
