#!/usr/bin/env bash
# Prints what the C compiler says about every struct of the generated bindings: its size, and the
# offset and size of each field. structs.txt beside this file is that output.
#
#   LLAMA_CPP=path/to/llama.cpp CC=cc ./check.sh >structs.txt
#
# LLAMA_CPP  a checkout of llama.cpp at the tag that the bindings were generated from
set -euo pipefail
cd "$(dirname "$0")"
: "${LLAMA_CPP:?set LLAMA_CPP to a llama.cpp checkout}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  printf '#include <%s>\n' stddef.h stdio.h ggml.h ggml-alloc.h ggml-backend.h gguf.h llama.h
  # Names only; the numbers must come from the headers. Fields of anonymous unions are those of the
  # struct around them. ggml_bf16_t and ggml_tallocr are known with and without "struct".
  echo 'int main(void) {'
  grep -lE 'GroupLayout \$LAYOUT' ../src/main/java/dev/ocellus/ffi/*.java | sort | while read -r file; do
    struct=$(basename "$file" .java)
    kind='struct '
    grep -qhE "}[[:space:]]*$struct;" "$LLAMA_CPP"/include/*.h "$LLAMA_CPP"/ggml/include/*.h && kind=
    echo "printf(\"$struct %zu\\n\", sizeof($kind$struct));"
    perl -0ne 'print "$1\n" if /GroupLayout \$LAYOUT = (.*?);/s' "$file" |
      grep -oE 'withName\("[^"]+"\)' | sed 's/.*("//; s/")//' | grep -vF '$anon' | grep -vx "$struct" |
      while read -r field; do
        echo "printf(\"$struct.$field %zu %zu\\n\", offsetof($kind$struct, $field), sizeof((($kind$struct *)0)->$field));"
      done
  done
  echo 'return 0; }'
} >"$work/structs.c"
${CC:-cc} -std=c11 -I"$LLAMA_CPP/include" -I"$LLAMA_CPP/ggml/include" -o "$work/structs" "$work/structs.c"
"$work/structs"
