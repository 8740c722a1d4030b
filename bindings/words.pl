# Rewrites the generated calls of functions that take and return nothing but pointers and integers: they are linked
# once for each number of arguments (dev.ocellus.nativelib.WordCalls) and not once for each type of function, which
# takes the JVM some milliseconds each at every start. Read by regenerate.sh: perl -0pi words.pl FILE
use strict;
use warnings;

my $word = qr/ggml_h\.C_(?:POINTER|INT|LONG_LONG|BOOL|CHAR)/;
my $most = 8;    # arguments beyond travel on the stack, where macOS packs them by their size
my %type;        # of functions that are rewritten: what they return

s{    private static class (\w+) \{\n        public static final FunctionDescriptor DESC = FunctionDescriptor\.(of|ofVoid)\(([^;]*)\);\n\n(        public static final MemorySegment ADDR = [^\n]*;\n)\n        public static final MethodHandle HANDLE = Linker\.nativeLinker\(\)\.downcallHandle\(ADDR, DESC\);\n    \}\n}{
  my ($all, $name, $kind, $list, $addr) = ($&, $1, $2, $3, $4);
  my @layouts = map { s/^\s+|\s+$//gr } split /,/, $list;
  my $arguments = @layouts - ($kind eq 'of');
  if ($arguments <= $most && !grep { !/^$word$/ } grep { length } @layouts) {
    $type{$name} = 1;
    "    private static class $name {\n$addr    }\n";
  } else { $all }
}ge;

s{    public static (\w+) (\w+)\(([^)]*)\) \{\n        var mh\$ = \w+\.HANDLE;\n        try \{\n            if \(TRACE_DOWNCALLS\) \{\n(\s*traceDowncall[^\n]*\n)            \}\n[^\n]*\n        \} catch .*?\n    \}\n}{
  my ($all, $returned, $name, $list, $trace) = ($&, $1, $2, $3, $4);
  if ($type{$name}) {
    my @arguments = ("$name.ADDR");
    for (split /,\s*/, $list) {
      my ($t, $n) = /^(\S+) (\S+)$/ or die "parameter $_ of $name";
      push @arguments, $t eq 'MemorySegment' ? $n : $t eq 'boolean' ? "$n ? 1 : 0" : $n;
      $arguments[-1] = "WordCalls.word($arguments[-1])" if $t ne 'MemorySegment';
    }
    my $call = 'WordCalls.call(' . join(', ', @arguments) . ')';
    my $statement = $returned eq 'void' ? $call
      : $returned eq 'MemorySegment' ? "return WordCalls.pointer($call)"
      : $returned eq 'boolean' ? "return (byte) $call != 0"
      : $returned eq 'long' ? "return $call"
      : $returned eq 'int' ? "return (int) $call"
      : die "$name returns $returned";
    "    public static $returned $name($list) {\n        if (TRACE_DOWNCALLS) {\n" . ($trace =~ s/^    //r) . "        }\n        $statement;\n    }\n";
  } else { $all }
}gse;

s/^(import java\.lang\.foreign\.\*;\n)/import dev.ocellus.nativelib.WordCalls;\n$1/m if %type;
