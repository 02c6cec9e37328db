package millrace.nexmark;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ScalarFunction;

/** How often a character of one byte occurs in a text. */
public final class CountChar extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  public long eval(@DataTypeHint("STRING") StringData text, @DataTypeHint("STRING") StringData character) {
    if (text == null) {
      return 0;
    }
    byte wanted = character.toBytes()[0];
    long count = 0;
    for (byte found : text.toBytes()) {
      if (found == wanted) {
        count++;
      }
    }
    return count;
  }
}
