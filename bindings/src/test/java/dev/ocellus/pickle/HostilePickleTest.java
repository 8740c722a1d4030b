package dev.ocellus.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pickles and archives that no PyTorch writes. */
class HostilePickleTest {
  @TempDir Path dir;

  private static PickleBuilder pickle() {
    return new PickleBuilder().raw("\u0080\u0002");
  }

  private void refused(PickleBuilder builder, String... message) throws IOException {
    Path path = builder.zip(dir.resolve("hostile.bin"));
    refused(path, message);
  }

  private static void refused(Path path, String... message) {
    assertThatThrownBy(() -> PickleFile.open(path))
        .isInstanceOf(PickleFormatException.class)
        .hasMessageContainingAll(message);
  }

  @Test
  void readsATensorOfHandMadeInstructions() throws IOException {
    Path path =
        pickle().raw("}").text("a").tensor(3, 1, 2, 1).raw("s.").zip(dir.resolve("good.bin"));
    try (PickleFile f = PickleFile.open(path)) {
      assertThat(f.shape("a")).containsExactly(2L);
    }
  }

  /** As Python 2 and PyTorch 0.3 wrote: an OrderedDict of pairs, str, a part of a storage. */
  @Test
  void readsWhatPython2Wrote() throws IOException {
    PickleBuilder b = new PickleBuilder();
    b.raw("\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.\u0080\u0002M\u00e9\u0003.");
    b.raw("\u0080\u0002}.\u0080\u0002").global("collections", "OrderedDict").raw("](]U\u0001aa");
    b.global("torch._utils", "_rebuild_tensor").raw("((U\u0007storage");
    b.global("torch.cuda", "FloatStorage")
        .raw("U\u000242U\u0006cuda:0K\u0004(U\u000243K\u0001K\u0002ttQ");
    b.raw("K\u0000K\u0002\u0085K\u0001\u0085tRae\u0085R.");
    b.raw("\u0080\u0002](U\u000242e.").int64(4);
    ByteBuffer data = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    data.putFloat(1).putFloat(2).putFloat(3).putFloat(4);
    Path path = dir.resolve("old.pth");
    try (OutputStream out = Files.newOutputStream(path)) {
      out.write(b.bytes());
      out.write(data.array());
    }
    try (PickleFile f = PickleFile.open(path)) {
      float[] read = new float[2];
      f.read("a", 0, read, 0, 2);
      assertThat(read).containsExactly(2, 3);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "3, 2, 2, 1",
    "3, 0, 4, 1",
    "3, 0, 2, 3",
    "3, -1, 1, 1",
    "3, 0, -1, 1",
    "3, 0, 2, -1",
    "3, 4, 0, 1",
    "3, 0, 9223372036854775807, 0",
    "3, 0, 4611686018427387904, 4611686018427387904",
    "3, 9223372036854775807, 2, 1"
  })
  void refusesTensorsThatReachBeyondTheirStorage(long stored, long offset, long size, long stride)
      throws IOException {
    refused(pickle().raw("}").text("a").tensor(stored, offset, size, stride).raw("s."), "a tensor");
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 4, 1 << 20, 1L << 62, -1})
  void refusesStoragesOfAnotherSize(long stored) throws IOException {
    refused(pickle().raw("}").text("a").tensor(stored, 0, 1, 1).raw("s."), "storage");
  }

  @ParameterizedTest
  @CsvSource({
    "os, system",
    "posix, system",
    "builtins, eval",
    "builtins, getattr",
    "torch, load",
    "torch.storage, _load_from_bytes",
    "numpy.core.multiarray, _reconstruct",
    "torch._utils._rebuild_tensor_v2, __globals__",
    "dev.ocellus.pickle, PickleFile",
    "'', ''"
  })
  void refusesNamesByName(String module, String name) throws IOException {
    String asked = "'" + module + "." + name + "'";
    refused(pickle().global(module, name).raw("."), asked, "nothing of this one was run");
    refused(pickle().text(module).text(name).raw("\u0093."), asked);
  }

  /** As PyTorch Lightning saves: a class as a key, numbers of numpy, settings of omegaconf. */
  @Test
  void passesOverWhatATrainingRunKeeps() throws IOException {
    String lightning = "pytorch_lightning.callbacks.model_checkpoint";
    PickleBuilder b = pickle().raw("}(").text("epoch").number(3);
    b.text("callbacks").raw("}(").global(lightning, "ModelCheckpoint").raw("}").text("best");
    b.global("numpy.core.multiarray", "scalar").raw("(").global("numpy", "dtype");
    b.raw("(").text("f8").number(0).number(1).raw("tR(").number(3).text("<").raw("tb");
    b.text("12345678").raw("tRsu");
    b.text("hyper_parameters").global("omegaconf.dictconfig", "DictConfig").raw(")\u0081}");
    b.text("content").raw("}s").raw("b(").text("a").number(1).raw("u");
    b.text("state_dict").global("collections", "OrderedDict").raw(")R(");
    b.text("a").tensor(3, 1, 2, 1).raw("uu.");
    try (PickleFile f = PickleFile.open(b.zip(dir.resolve("last.ckpt")))) {
      assertThat(f.names()).containsExactly("a");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_lightning_evil", "omegaconfig", "lightningx.a", "taming.models"})
  void refusesNamesThatOnlyBeginAlike(String module) throws IOException {
    refused(
        pickle().raw("}").text("state_dict").raw("}").text("a").global(module, "A").raw("ss."),
        "'" + module + ".A'");
  }

  @Test
  void refusesTensorsOfWhatIsPassedOver() throws IOException {
    refused(
        pickle()
            .raw("}")
            .text("a")
            .global("torch._utils", "_rebuild_tensor_v2")
            .raw("(")
            .global("pytorch_lightning", "Storage")
            .raw(")R")
            .number(0)
            .raw("))\u0089NtRs."),
        "its storage");
    refused(pickle().global("omegaconf", "X").raw(")R."), "none in it");
  }

  @ParameterizedTest
  @CsvSource({
    "'(icollections\nOrderedDict\n.', instruction",
    "'(ccollections\nOrderedDict\no.', instruction",
    "'P0\n.', instruction",
    "'\u0082\u0001.', instruction",
    "'\u0097.', instruction",
    "'\u00ff.', instruction",
    "'\u0080\u0006N.', protocol",
    "'.', stack",
    "'0.', stack",
    "'t.', mark",
    "'(.', stack",
    "'NN.', one value",
    "'K\u0001', more bytes",
    "'h\u0005.', memo",
    "'g-1\n.', memo",
    "'Ix\n.', digits",
    "'K\u0001K\u0001a.', list or set",
    "'K\u0001K\u0001K\u0001s.', dict that takes",
    "'}]Ns.', cannot change",
    "'}(Nu.', pairs",
    "'K\u0001}b.', attributes",
    "'K\u0001)R.', function and a tuple",
    "'ctorch\nFloatStorage\n)R.', type of PyTorch",
    "'ctorch\nSize\n)R.', at least 1",
    "'ctorch\nSize\n)\u0081.', OrderedDict",
    "'K\u0001Q.', persistent id",
    "'N.', none in it",
    "'}.', none in it",
    "'X\u00ff\u00ff\u00ff\u007f.', more bytes",
    "'\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff.', more bytes",
    "'\u008b\u00ff\u00ff\u0000\u0000.', an integer"
  })
  void refusesInstructionsThatMakeNoSense(String instructions, String message) throws IOException {
    refused(pickle().raw(instructions), message);
  }

  @Test
  void aDictThatHoldsItselfIsRefused() throws IOException {
    refused(pickle().raw("}q\u0000").text("a").raw("h\u0000s."), "holds itself");
    refused(pickle().raw("}q\u0000").text("model").raw("h\u0000s."), "holds itself");
  }

  /** Fifteen levels of seventy references stand for more dicts than a machine has memory. */
  @Test
  void dictsInDictsWithoutEndAreRefused() throws IOException {
    PickleBuilder b = pickle().raw("}q\u00000");
    for (int i = 0; i < 15; i++) {
      b.raw("}(");
      for (char name = '0'; name < 'z'; name++) {
        b.text("" + name).raw("h\u0000");
      }
      b.raw("uq\u00000");
    }
    refused(b.raw("h\u0000."), "too many");
  }

  @Test
  void floodsOfSmallValuesAreRefused() throws IOException {
    refused(pickle().raw("(" + "]".repeat(1 << 21) + "t."), "stack");
    refused(pickle().raw("N0".repeat(1 << 22) + "N."), "instructions");
  }

  /** Each turn would copy a long text, which the file has once. */
  @Test
  void copiesOfLongTextsAreRefused() throws IOException {
    PickleBuilder b =
        pickle().global("_codecs", "encode").raw("q\u00000").text("x".repeat(1 << 20));
    b.text("latin1").raw("\u0086q\u00010(");
    refused(b.raw("h\u0000h\u0001R".repeat(10_000) + "t."), "instructions");
  }

  @Test
  void archivesThatAreNotOfPyTorchAreRefused() throws IOException {
    Path path = dir.resolve("a.bin");
    refused(PickleBuilder.zip(path, Map.of("x/y", new byte[1])), "data.pkl");
    Map<String, byte[]> two = new LinkedHashMap<>();
    two.put("a/data.pkl", new byte[] {'N', '.'});
    two.put("b/data.pkl", new byte[] {'N', '.'});
    refused(PickleBuilder.zip(path, two), "one 'data.pkl'");
    Map<String, byte[]> order = new LinkedHashMap<>();
    order.put("a/data.pkl", new byte[] {'N', '.'});
    order.put("a/byteorder", "middle".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    refused(PickleBuilder.zip(path, order), "byteorder", "'middle'");
  }

  @Test
  void compressedEntriesAreRefused() throws IOException {
    Path path = dir.resolve("bomb.bin");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      zip.putNextEntry(new ZipEntry("archive/data.pkl"));
      zip.write(new byte[1 << 20]);
    }
    refused(path, "compressed", "save it again");
  }

  @Test
  void entriesThatOverlapAreRefused() throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", new byte[] {'N', '.'});
    entries.put("archive/data/0", new byte[12]);
    entries.put("archive/data/1", new byte[12]);
    Path path = PickleBuilder.zip(dir.resolve("overlap.bin"), entries);
    ByteBuffer zip = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    int end = zip.capacity() - 22;
    int first = zip.getInt(end + 16);
    int second = first + 46 + "archive/data.pkl".length();
    int third = second + 46 + "archive/data/0".length();
    zip.putInt(third + 42, zip.getInt(second + 42)); // both begin at the header of the second
    Files.write(path, zip.array());
    refused(path, "bytes shared");
  }
}
