package dev.ocellus.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.Setting;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SettingOptionsTest {
  @ParameterizedTest
  @EnumSource(Setting.class)
  void everySettingHasAnOption(Setting setting) {
    assertThat(SettingOptions.has(setting)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Setting.class)
  void settingsAreNamedAsInTheApi(Setting setting) {
    assertThat(setting.apiName()).matches("[A-Z]\\w+\\.[a-z]\\w+");
  }
}
