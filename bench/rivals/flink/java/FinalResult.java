package millrace.nexmark;

import java.math.BigDecimal;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/** What is left of a table when all its changes have been applied, as lines of CSV. */
final class FinalResult {
  private final Map<String, Integer> counts = new HashMap<>();

  /** Applies a change. */
  void add(Row row) {
    boolean isThere = row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER;
    counts.merge(line(row), isThere ? 1 : -1, Integer::sum);
  }

  /** The rows, each as often as it is there. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    counts.forEach((line, count) -> {
      if (count < 0) {
        throw new IllegalStateException("A row was taken back that was not there: " + line);
      }
      lines.addAll(Collections.nCopies(count, line));
    });
    return lines;
  }

  private static String line(Row row) {
    List<String> cells = new ArrayList<>();
    for (int field = 0; field < row.getArity(); field++) {
      cells.add(cell(row.getField(field)));
    }
    return String.join(",", cells);
  }

  /** Moments are milliseconds since the epoch. */
  private static String cell(Object value) {
    if (value == null) {
      return "";
    }
    if (value instanceof LocalDateTime time) {
      return Long.toString(time.toInstant(ZoneOffset.UTC).toEpochMilli());
    }
    if (value instanceof BigDecimal number) {
      return number.toPlainString();
    }
    String text = value.toString();
    return text.matches("[^,\"\r\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
