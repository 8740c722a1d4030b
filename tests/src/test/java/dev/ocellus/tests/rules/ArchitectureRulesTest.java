package dev.ocellus.tests.rules;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.ocellus.OcellusException;
import java.lang.reflect.Field;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ArchitectureRulesTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.ocellus");

  private static final DescribedPredicate<JavaClass> FOREIGN_MEMORY =
      DescribedPredicate.describe(
          "foreign memory",
          c ->
              c.getPackageName().equals("java.lang.foreign")
                  || c.getPackageName().equals("dev.ocellus.ffi"));

  @Test
  void onlyTheGraphAndModelLayersCallTheGeneratedBindings() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.ocellus.ffi..", "dev.ocellus.ggml..", "dev.ocellus.llama..", "dev.ocellus.tests..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.ocellus.ffi..")
        .check(CLASSES);
  }

  @Test
  void publicApiAboveTheBindingsMentionsNoForeignMemory() {
    methods()
        .that()
        .arePublic()
        .and()
        .areDeclaredInClassesThat()
        .resideInAnyPackage("dev.ocellus.vlm..", "dev.ocellus.quantize..", "dev.ocellus.cli..")
        .should(mentionNothingOf(FOREIGN_MEMORY))
        .check(CLASSES);
  }

  /** A class that is not in the list is initialized late, and if that fails never again. */
  @Test
  void allBindingsThatAreUsedAreInitializedEarly() throws Exception {
    Set<String> functions = new TreeSet<>();
    Set<String> types = new TreeSet<>();
    for (JavaClass c : CLASSES) {
      if (!c.getPackageName().matches("dev\\.ocellus\\.(ggml|llama)")) {
        continue;
      }
      for (JavaAccess<?> access : c.getAccessesFromSelf()) {
        JavaClass owner = access.getTargetOwner();
        if (owner.getPackageName().equals("dev.ocellus.ffi")) {
          types.add(owner.getName().replaceFirst(".*\\.", "").replaceFirst("\\$.*", ""));
          if (owner.getSimpleName().equals("ggml_h")
              && CLASSES.contain(owner.getName() + "$" + access.getName())) {
            functions.add(access.getName());
          }
        }
      }
    }
    assertThat(listed("FUNCTIONS")).containsExactlyInAnyOrderElementsOf(functions);
    assertThat(listed("CLASSES")).containsExactlyInAnyOrderElementsOf(types);
  }

  private static List<String> listed(String name) throws ReflectiveOperationException {
    Field list = Class.forName("dev.ocellus.ggml.UsedBindings").getDeclaredField(name);
    list.setAccessible(true);
    return ((List<?>) list.get(null)).stream().map(Object::toString).toList();
  }

  private static ArchCondition<JavaMethod> mentionNothingOf(DescribedPredicate<JavaClass> what) {
    return new ArchCondition<>("mention nothing of " + what.getDescription()) {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        boolean mentions =
            Stream.concat(
                    method.getRawParameterTypes().stream(), Stream.of(method.getRawReturnType()))
                .anyMatch(what);
        events.add(new SimpleConditionEvent(method, !mentions, method.getFullName()));
      }
    };
  }

  @Test
  void packagesFormNoCycle() {
    slices().matching("dev.ocellus.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theLibraryNeverDependsOnTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.ocellus.cli..", "dev.ocellus.tests..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.ocellus.cli..")
        .check(CLASSES);
  }

  @Test
  void imagesTemplatesAndSamplersKnowNothingOfModels() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.ocellus.vlm.image..",
            "dev.ocellus.vlm.template..",
            "dev.ocellus.vlm.sampling..",
            "dev.ocellus.vlm.grammar..",
            "dev.ocellus.vlm.tool.grammar..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.ocellus.ggml..", "dev.ocellus.llama..", "dev.ocellus.vlm.model..")
        .check(CLASSES);
  }

  @Test
  void imagesKnowNothingOfTheirFiles() {
    noClasses()
        .that()
        .resideInAPackage("dev.ocellus.vlm.image")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.ocellus.vlm.image.codec..")
        .check(CLASSES);
  }

  @Test
  void exceptionsOfOursHaveOneRoot() {
    classes()
        .that()
        .resideInAPackage("dev.ocellus..")
        .and()
        .areAssignableTo(RuntimeException.class)
        .and()
        .areNotAssignableTo(IllegalArgumentException.class) // misuse of the API
        .and()
        .arePublic()
        .and()
        .resideOutsideOfPackages(
            "dev.ocellus.cli..",
            "dev.ocellus.tests..",
            // these two never leave the template engine, which makes a TemplateException of them
            "dev.ocellus.vlm.template.runtime..",
            "dev.ocellus.vlm.template.syntax..")
        .should()
        .beAssignableTo(OcellusException.class)
        .check(CLASSES);
  }
}
