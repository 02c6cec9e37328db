package millrace.nexmark;

import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;

/** The events as a table: {@code 'connector' = 'millrace-nexmark'}. */
public final class EventTableFactory implements DynamicTableSourceFactory {
  private static final ConfigOption<Long> EVENTS =
      ConfigOptions.key("events").longType().noDefaultValue();
  private static final ConfigOption<Long> SEED = ConfigOptions.key("seed").longType().defaultValue(1L);
  private static final ConfigOption<Double> EVENTS_PER_SECOND =
      ConfigOptions.key("events-per-second").doubleType().noDefaultValue();
  private static final ConfigOption<Long> START_MS =
      ConfigOptions.key("start-ms").longType().noDefaultValue();
  private static final ConfigOption<Integer> OUT_OF_ORDER =
      ConfigOptions.key("out-of-order").intType().defaultValue(1);
  private static final ConfigOption<Integer> PARALLELISM =
      ConfigOptions.key("subtasks").intType().noDefaultValue();

  @Override
  public String factoryIdentifier() {
    return "millrace-nexmark";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(EVENTS, EVENTS_PER_SECOND, START_MS, PARALLELISM);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of(SEED, OUT_OF_ORDER);
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    ReadableConfig options = helper.getOptions();
    Events.Settings settings =
        new Events.Settings(
            options.get(EVENTS),
            options.get(SEED),
            options.get(EVENTS_PER_SECOND),
            options.get(START_MS),
            options.get(OUT_OF_ORDER));
    return new Source(settings, options.get(PARALLELISM), context.getPhysicalRowDataType());
  }

  private record Source(Events.Settings settings, int parallelism, DataType rows)
      implements ScanTableSource {
    @Override
    public ChangelogMode getChangelogMode() {
      return ChangelogMode.insertOnly();
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
      TypeInformation<RowData> type = context.createTypeInformation(rows);
      EventFunction function = new EventFunction(settings, parallelism);
      return SourceProvider.of(new DataGeneratorSource<>(function, settings.events(), type), parallelism);
    }

    @Override
    public DynamicTableSource copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return settings.events() + " Nexmark events";
    }
  }
}
