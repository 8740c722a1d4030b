"""Writes golden.gguf with the gguf Python package (0.17 or newer): python make_golden.py"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter

w = GGUFWriter(Path(__file__).with_name("golden.gguf"), "clip")
w.add_string("general.name", "göld ✓")
w.add_uint8("t.u8", 255)
w.add_int8("t.i8", -128)
w.add_uint16("t.u16", 65535)
w.add_int16("t.i16", -32768)
w.add_uint32("t.u32", 4294967295)
w.add_int32("t.i32", -2147483648)
w.add_uint64("t.u64", 18446744073709551615)
w.add_int64("t.i64", -9223372036854775808)
w.add_float32("t.f32", 0.1)
w.add_float64("t.f64", 0.1)
w.add_bool("t.true", True)
w.add_bool("t.false", False)
w.add_array("t.strings", ["a", "", "ünï"])
w.add_array("t.ints", [1, -2, 3])
w.add_array("t.floats", [0.5, -1.5])
w.add_array("t.bools", [True, False, True])
w.add_tensor("plain.f32", np.arange(6, dtype=np.float32).reshape(2, 3))
w.add_tensor("half.f16", np.array([1, -2, 0.5], dtype=np.float16))
w.add_tensor("scalar.f32", np.array([7], dtype=np.float32))
w.add_tensor(
    "packed.q8_0",
    np.arange(2 * 34, dtype=np.uint8).reshape(2, 34),
    raw_dtype=GGMLQuantizationType.Q8_0,
)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
