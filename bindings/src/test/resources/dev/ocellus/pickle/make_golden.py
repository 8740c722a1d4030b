"""Writes the checkpoints beside it with PyTorch, and golden.json: what PyTorch reads from them. Run by hand: python make_golden.py"""

import collections
import json
import os
import pathlib
import pickle
import zipfile

import torch

HERE = pathlib.Path(__file__).parent
FLOATS = [1, -2, 0.5, 3.25, 0, 1e-3]


class Program:
    """What an attacker would save beside the tensors."""

    def __reduce__(self):
        return os.system, ("touch /tmp/ocellus-pickle-was-run",)


def tensors():
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    state = collections.OrderedDict()
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2):
        state[str(dtype)[6:]] = torch.tensor(FLOATS).to(dtype).reshape(2, 3)
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8):
        state[str(dtype)[6:]] = torch.tensor([1, -7, 100]).to(dtype)
    for dtype in (torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool):
        state[str(dtype)[6:]] = torch.tensor([0, 1, 200]).to(dtype)
    state["contiguous"] = base
    state["part"] = base[1]  # these share the storage of the first
    state["transposed"] = base.permute(2, 0, 1)
    state["stepped"] = base[:, ::2, 1::2]
    state["column"] = base[:, :, 2]
    state["expanded"] = torch.tensor([5.0, 6.0]).reshape(1, 2).expand(3, 2)
    state["scalar"] = torch.tensor(4.5)
    state["empty"] = torch.zeros(0, 5)
    state["one"] = torch.ones(1, 1, 1)
    state["parameter"] = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    state["buffer"] = torch.nn.Buffer(torch.tensor([3.0]))
    parameter = torch.nn.Parameter(torch.tensor([7.0]))
    parameter.tag = "with an attribute"
    state["tagged"] = parameter
    state["channels"] = torch.arange(16, dtype=torch.bfloat16).reshape(1, 2, 2, 4).to(memory_format=torch.channels_last)
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    return state


def legacy(path, state, protocol):
    """float8 and unsigned integers have no storage class that this form could name."""
    kept = collections.OrderedDict((k, v) for k, v in state.items() if "uint16" not in k and "uint32" not in k and "uint64" not in k and "float8" not in k)
    torch.save(kept, path, pickle_protocol=protocol, _use_new_zipfile_serialization=False)


def big_endian(path, source):
    """The same file as a machine of the other byte order writes it."""
    sizes = {}
    state = torch.load(source, weights_only=True)
    for name, tensor in state.items():
        sizes.setdefault(tensor.untyped_storage().data_ptr(), tensor.element_size())
    order = []
    for tensor in state.values():
        if tensor.untyped_storage().data_ptr() not in order:
            order.append(tensor.untyped_storage().data_ptr())
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("/byteorder"):
                data = b"big"
            if "/data/" in name:
                size = sizes[order[int(name.rsplit("/", 1)[1])]]
                data = b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
            new.writestr(name, data)


def main():
    state = tensors()
    for protocol in (2, 3, 4, 5):
        torch.save(state, HERE / f"zip-{protocol}.bin", pickle_protocol=protocol)
    for protocol in (1, 2, 4):
        legacy(HERE / f"legacy-{protocol}.bin", state, protocol)
    plain = collections.OrderedDict((k, v) for k, v in state.items() if k in ("int64", "transposed", "float16", "float64", "bool", "contiguous", "float8_e5m2", "uint16"))
    swapped = collections.OrderedDict((k, v) for k, v in plain.items() if k != "uint16")  # which PyTorch forgets to swap
    torch.save(swapped, HERE / "plain.bin")
    big_endian(HERE / "big-endian.bin", HERE / "plain.bin")
    (HERE / "plain.bin").unlink()
    wrapped = {"epoch": 3, "loss": 0.5, "args": {"lr": 1e-3, "names": ["a", "b"], "ids": {1, 2}, "blob": b"\x00\xff", "size": torch.Size([1, 2]),
                                                "dtype": torch.float16, "device": torch.device("cpu"), "large": 1 << 70},
               "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}},
               "state_dict": {f"module.{k}": v for k, v in plain.items()}}
    torch.save(wrapped, HERE / "wrapped.pth")
    torch.save({"encoder": {"a": torch.tensor([1.0])}, "decoder": {"b": {"c": torch.tensor([2.0])}}}, HERE / "nested.pt")
    torch.save({"weight": torch.ones(2), "extra": Program()}, HERE / "program.bin")
    torch.save({"weight": torch.ones(2), "extra": Program()}, HERE / "program-legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), HERE / "module.pt")
    torch.save({"weight": torch.ones(2, dtype=torch.complex64)}, HERE / "complex.bin")
    torch.save({"weight": torch.eye(2).to_sparse()}, HERE / "sparse.bin")
    torch.jit.script(torch.nn.Linear(1, 1)).save(HERE / "script.pt")
    golden = {}
    for path in sorted(HERE.glob("*.[bp]*")):
        if path.suffix == ".py":
            continue
        try:
            own = path.name.startswith(("zip", "legacy"))  # protocols that its safe reader does not know
            read = torch.load(path, weights_only=not own)
        except (pickle.UnpicklingError, RuntimeError) as e:
            print(path.name, "is refused by PyTorch too:", str(e).splitlines()[0][:80])
            continue
        read = read.get("state_dict", read)
        flat = {}
        for name, value in read.items():
            values = {name: value} if torch.is_tensor(value) else {"encoder.a": value["a"]} if name == "encoder" else {"decoder.b.c": value["b"]["c"]}
            flat.update({k.removeprefix("module."): v for k, v in values.items()})
        golden[path.name] = {k: {"dtype": str(v.dtype)[6:], "shape": list(v.shape), "values": v.to(torch.float32).flatten().tolist()} for k, v in flat.items()
                             if v.dtype is not torch.complex64 and not v.is_sparse}
    golden = {k: v for k, v in golden.items() if v}
    (HERE / "golden.json").write_text(json.dumps(golden, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n")


main()
