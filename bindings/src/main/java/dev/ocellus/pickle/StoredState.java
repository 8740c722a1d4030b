package dev.ocellus.pickle;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * What a file holds in one of its forms.
 *
 * @param root the value that was saved
 * @param storages bytes of each storage by its key, as they lie in the file
 * @param order of the bytes of an element
 */
record StoredState(Object root, Map<String, MemorySegment> storages, ByteOrder order) {}
