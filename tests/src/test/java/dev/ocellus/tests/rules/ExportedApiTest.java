package dev.ocellus.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URL;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * What everybody may use, as the modules export it, shows nothing of how native code is called or
 * threads are kept: fields, methods, constructors and what records are made of.
 */
class ExportedApiTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.ocellus");

  @Test
  void showsNoNativeMemoryAndNoThreads() throws IOException {
    Set<String> exported = exportedToAll();
    assertThat(exported).contains("dev.ocellus.vlm", "dev.ocellus.quantize");
    Set<String> members = new TreeSet<>();
    for (JavaClass c : CLASSES) {
      if (exported.contains(c.getPackageName()) && isVisible(c)) {
        for (JavaMember member : c.getMembers()) {
          if (isVisible(member)
              && member.getAllInvolvedRawTypes().stream().anyMatch(ExportedApiTest::isInternal)) {
            members.add(member.getFullName());
          }
        }
      }
    }
    assertThat(members).isEmpty();
  }

  private static boolean isInternal(JavaClass type) {
    return type.getPackageName().equals("java.lang.foreign")
        || type.getPackageName().equals("dev.ocellus.ffi")
        || type.isAssignableTo(Executor.class);
  }

  private static boolean isVisible(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(ExportedApiTest::isVisible).orElse(true);
  }

  private static boolean isVisible(JavaMember member) {
    return member.getModifiers().contains(JavaModifier.PUBLIC)
        || member.getModifiers().contains(JavaModifier.PROTECTED);
  }

  /** Packages that a module exports without saying to whom. */
  private static Set<String> exportedToAll() throws IOException {
    Set<String> packages = new TreeSet<>();
    ClassLoader loader = ExportedApiTest.class.getClassLoader();
    for (URL url : Collections.list(loader.getResources("module-info.class"))) {
      try (InputStream in = url.openStream()) {
        ModuleDescriptor module = ModuleDescriptor.read(in);
        if (module.name().startsWith("dev.ocellus.")) {
          packages.addAll(
              module.exports().stream()
                  .filter(e -> !e.isQualified())
                  .map(ModuleDescriptor.Exports::source)
                  .collect(Collectors.toSet()));
        }
      }
    }
    return packages;
  }
}
