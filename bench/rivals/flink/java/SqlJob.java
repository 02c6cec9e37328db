package millrace.nexmark;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs the statements of a file, which blank lines divide; the last is a job, whose end is waited for. Given a second
 * file, the job is a query, and its final result is written there as CSV without a header.
 */
public final class SqlJob {
  private SqlJob() {}

  public static void main(String[] arguments) throws Exception {
    TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
    TableResult result = null;
    for (String statement : Files.readString(Path.of(arguments[0])).split("\n\n")) {
      if (statement.startsWith("SET ")) {
        String[] words = statement.split("'");
        tables.getConfig().set(words[1], words[3]);
      } else {
        result = tables.executeSql(statement);
      }
    }
    if (result != null && arguments.length > 1) {
      writeResult(result, Path.of(arguments[1]));
    } else if (result != null) {
      result.await();
    }
  }

  private static void writeResult(TableResult result, Path path) throws Exception {
    FinalResult rows = new FinalResult();
    try (CloseableIterator<Row> changes = result.collect()) {
      changes.forEachRemaining(rows::add);
    }
    Files.write(path, rows.lines());
  }
}
