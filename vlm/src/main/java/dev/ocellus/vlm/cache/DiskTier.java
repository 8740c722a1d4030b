package dev.ocellus.vlm.cache;

import dev.ocellus.io.Channels;
import dev.ocellus.vlm.vision.EncodedImage;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Encoded images as files of a {@link CacheFolder}. */
final class DiskTier {
  private final CacheFolder folder;

  DiskTier(Path directory, long capacity) {
    this.folder = new CacheFolder(directory, ".image", "image cache", capacity);
  }

  @Nullable EncodedImage find(String key) {
    return folder.find(
        key,
        channel -> {
          ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
          while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
            continue; // a read may give less than there is
          }
          return EncodedImageFormat.read(key, bytes.array());
        });
  }

  void put(String key, EncodedImage image) {
    if (image.byteSize() <= folder.capacity()) {
      folder.put(
          key,
          channel ->
              Channels.write(channel, ByteBuffer.wrap(EncodedImageFormat.write(key, image))));
    }
  }
}
