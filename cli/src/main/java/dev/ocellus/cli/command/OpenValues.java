package dev.ocellus.cli.command;

import java.util.Map;
import java.util.Stack;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Refuses options that the command has not among the values of one that takes several, or none:
 * picocli would take {@code --labl} behind {@code --label} for one more label. What such a value
 * really begins with is written together with the option: {@code --label=--labl}.
 */
public final class OpenValues implements IParameterPreprocessor {
  /** Names as options have them; numbers below zero and texts of several words are none. */
  private static final Pattern OPTION =
      Pattern.compile("--?[A-Za-z][A-Za-z0-9-]*(=.*)?", Pattern.DOTALL);

  /** An option that the command has not, where values of another one could stand. */
  static final class UnknownOptionException extends UnmatchedArgumentException {
    private static final long serialVersionUID = 1;

    private final String unknown;
    private final String before;

    UnknownOptionException(CommandLine line, String unknown, String before) {
      super(line, "unknown option " + unknown);
      this.unknown = unknown;
      this.before = before;
    }

    /** As it was typed. */
    String unknown() {
      return unknown;
    }

    /** The name of the option whose values it stands among. */
    String before() {
      return before;
    }
  }

  @Override
  @SuppressWarnings("JdkObsolete") // picocli's interface; the next argument is the last element
  public boolean preprocess(
      Stack<String> arguments,
      CommandSpec command,
      @Nullable ArgSpec argument,
      Map<String, Object> info) {
    OptionSpec option = null;
    int left = 0; // values that may still be the option's
    for (int i = arguments.size() - 1; i >= 0; i--) {
      String next = arguments.get(i);
      if (next.equals("--")) {
        break;
      }
      OptionSpec named = option(command, next);
      if (named != null) {
        option = named;
        left = named.arity().max() - (command.optionsMap().containsKey(next) ? 0 : 1);
      } else if (option != null && left > 0) {
        if (isOpen(option) && OPTION.matcher(next).matches()) {
          throw new UnknownOptionException(command.commandLine(), next, option.longestName());
        }
        left--;
      }
    }
    return false; // picocli goes on with the same arguments
  }

  private static boolean isOpen(OptionSpec option) {
    return option.isMultiValue() || option.arity().min() < option.arity().max();
  }

  /** The option that an argument names, alone or with a value attached. */
  private static @Nullable OptionSpec option(CommandSpec command, String argument) {
    OptionSpec exact = command.optionsMap().get(argument);
    if (exact != null) {
      return exact;
    }
    int equals = argument.indexOf('=');
    OptionSpec attached =
        equals < 0 ? null : command.optionsMap().get(argument.substring(0, equals));
    return attached != null || argument.length() < 3 || argument.charAt(0) != '-'
        ? attached
        : command.posixOptionsMap().get(argument.charAt(1));
  }
}
