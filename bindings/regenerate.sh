#!/usr/bin/env bash
# Regenerates src/main/java/dev/ocellus/ffi from the headers of the pinned llama.cpp.
#
#   JEXTRACT="path/to/jextract" LLAMA_CPP=path/to/llama.cpp ./regenerate.sh
#
# JEXTRACT   a jextract built for JDK 25 (a command with arguments is fine)
# LLAMA_CPP  a checkout of llama.cpp at the tag of the npm packages: `npm pack node-llama-cpp@3.21.1`,
#            then `git clone` of llama/gitRelease.bundle inside it
# CLANG_INCLUDE  clang's own headers, when jextract's libclang does not find them by itself
set -euo pipefail
cd "$(dirname "$0")"
: "${JEXTRACT:?set JEXTRACT to a jextract command}" "${LLAMA_CPP:?set LLAMA_CPP to a llama.cpp checkout}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include "%s"\n' ggml.h ggml-alloc.h ggml-backend.h gguf.h llama.h >"$work/umbrella.h"

# One copy of the bindings serves every 64-bit platform, so no type may come out as C `long`, which is
# 64 bits on Linux and 32 on Windows: size_t, int64_t and their kin are declared as `long long`, and the
# C library's headers, which would declare them again as `long`, are kept out.
mkdir "$work/libc"
echo 'typedef struct _IO_FILE FILE;' >"$work/libc/stdio.h"
{
  printf '%s\n' "-I$work/libc" "-I$LLAMA_CPP/include" "-I$LLAMA_CPP/ggml/include" -ffreestanding -Wno-everything
  [ -n "${CLANG_INCLUDE:-}" ] && printf '%s\n' -isystem "$CLANG_INCLUDE"
  for type in SIZE:unsigned INT64: UINT64:unsigned INTPTR: UINTPTR:unsigned PTRDIFF:; do
    name=__${type%%:*}_TYPE__ sign=${type#*:}
    printf '%s\n' "-U$name" "-D$name=${sign:+$sign }long long"
  done
} >"$work/compile_flags.txt"

grep -v '^#' symbols.txt | grep . >"$work/symbols.args"
bindings=$PWD
(cd "$work" && $JEXTRACT "@$work/symbols.args" --output "$work/out" -t dev.ocellus.ffi --header-class-name ggml_h umbrella.h)

cd "$work/out/dev/ocellus/ffi"
# What the generator cannot be told:
# - symbols come from the libraries that we loaded, not from those of a class loader;
# - findOrThrow exists from Java 23 on, and we compile for 22;
# - accessors of descriptors, handles and addresses that nobody calls are left out (two thirds of the file);
# - nothing uses C_LONG, and nothing ever may.
perl -0pi -e '
  s/static final SymbolLookup SYMBOL_LOOKUP = .*?;/static final SymbolLookup SYMBOL_LOOKUP = dev.ocellus.nativelib.NativeLibraries.symbols();/s;
  s/SYMBOL_LOOKUP\.findOrThrow\(("\w+")\)/SYMBOL_LOOKUP.find($1).orElseThrow(() -> new UnsatisfiedLinkError($1))/g;
  s!    /\*\*\n     \* (Function descriptor|Downcall method handle|Address) for:\n(     \*.*\n)*?     \*/\n    public static \w+ \w+\$(descriptor|handle|address)\(\) \{\n.*\n    \}\n\n!!g;
  s/.*\bC_LONG = .*\n//g;
  s/[ \t]+$//mg;
' ./*.java
perl -0pi "$bindings/words.pl" ggml_h.java
if grep -n '\bC_LONG\b' ./*.java; then
  echo "regenerate.sh: a layout depends on C long (above); the bindings would be wrong on Windows" >&2
  exit 1
fi

target=$bindings/src/main/java/dev/ocellus/ffi
rm -rf "$target"
mkdir -p "$(dirname "$target")"
cp -r . "$target"
echo "$(find "$target" -name '*.java' | wc -l) files, $(cat "$target"/*.java | wc -l) lines"

# What the C compiler says about the same structs; a test compares the generated layouts with it.
"$bindings/abi/check.sh" >"$bindings/abi/structs.txt"
