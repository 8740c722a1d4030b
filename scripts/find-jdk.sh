# Sourced by ./build and ./ocellus: sets JAVA_HOME to a JDK of at least MIN_JDK, or says what was looked at and fails.
MIN_JDK=22

# Prints the feature version (22, 25 ...) of the JDK in directory $1, or nothing when it is not one.
jdk_version() {
  [ -x "$1/bin/javac" ] && [ -f "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

# Homes listed in Maven's toolchains.xml, where people declare their JDKs.
toolchain_jdks() {
  [ -f "$HOME/.m2/toolchains.xml" ] || return 0
  sed -n 's/.*<jdkHome>\(.*\)<\/jdkHome>.*/\1/p' "$HOME/.m2/toolchains.xml"
}

jdk_candidates() {
  [ -n "${JAVA_HOME:-}" ] && printf '%s\n' "$JAVA_HOME"
  if command -v javac >/dev/null 2>&1; then
    javac=$(command -v javac)
    real=$(readlink -f "$javac" 2>/dev/null || printf '%s' "$javac")
    printf '%s\n' "${real%/bin/javac}"
  fi
  toolchain_jdks
  for pattern in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* \
    "$HOME"/.jdks/* "$HOME"/.local/share/mise/installs/java/* "$HOME"/.asdf/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk/libexec/openjdk.jdk/Contents/Home /usr/local/opt/openjdk/libexec/openjdk.jdk/Contents/Home; do
    [ -d "$pattern" ] && printf '%s\n' "$pattern"
  done
  return 0
}

# JAVA_HOME and the javac on the PATH win when they are new enough; otherwise the newest of the rest.
find_jdk() {
  best= best_version=0 rank=0
  while IFS= read -r home; do
    rank=$((rank + 1))
    version=$(jdk_version "$home")
    [ -n "$version" ] || continue
    if [ "$version" -ge "$MIN_JDK" ] && [ "$version" -gt "$best_version" ]; then
      best=$home best_version=$version
      [ "$rank" -eq 1 ] && [ "$home" = "${JAVA_HOME:-}" ] && break
    fi
  done <<EOF
$(jdk_candidates)
EOF
  if [ -z "$best" ]; then
    {
      echo "ocellus: needs a JDK $MIN_JDK or newer, and found none."
      echo "Looked at JAVA_HOME (${JAVA_HOME:-not set}), javac on the PATH, ~/.m2/toolchains.xml and the usual places:"
      jdk_candidates | while IFS= read -r home; do
        version=$(jdk_version "$home")
        echo "  $home: ${version:-no JDK}"
      done
      echo "Install one (for example Temurin 25) or point JAVA_HOME at it."
    } >&2
    return 1
  fi
  JAVA_HOME=$best
  export JAVA_HOME
}
