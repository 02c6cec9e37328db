package millrace.nexmark;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.LookupFunction;

/** The bounded side table of q13 in memory, numbers and themselves as text: {@code 'connector' = 'millrace-side'}. */
public final class SideTableFactory implements DynamicTableSourceFactory {
  private static final ConfigOption<Long> ROWS = ConfigOptions.key("rows").longType().noDefaultValue();

  @Override
  public String factoryIdentifier() {
    return "millrace-side";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(ROWS);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    return new Source(helper.getOptions().get(ROWS));
  }

  private record Source(long rows) implements LookupTableSource {
    @Override
    public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
      return LookupFunctionProvider.of(new Lookup(rows));
    }

    @Override
    public DynamicTableSource copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return rows + " rows of the side table";
    }
  }

  /** Looks up rows by their number. */
  public static final class Lookup extends LookupFunction {
    private final long rows;
    private transient Map<Long, Collection<RowData>> table;

    Lookup(long rows) {
      this.rows = rows;
    }

    @Override
    public void open(FunctionContext context) {
      table = new HashMap<>();
      for (long key = 0; key < rows; key++) {
        table.put(key, List.of(GenericRowData.of(key, StringData.fromString(Long.toString(key)))));
      }
    }

    @Override
    public Collection<RowData> lookup(RowData keys) {
      return table.getOrDefault(keys.getLong(0), List.of());
    }
  }
}
