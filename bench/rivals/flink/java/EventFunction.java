package millrace.nexmark;

import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.table.data.RowData;

/**
 * Events by the numbers of a sequence. Each subtask reads a range of the sequence from its start to its end; the ranges
 * stand for blocks dealt in turn, so that event time advances alike in all subtasks.
 */
final class EventFunction implements GeneratorFunction<Long, RowData> {
  private static final long serialVersionUID = 1L;

  private final Events.Settings settings;
  private final int parallelism;
  private transient Events events;

  EventFunction(Events.Settings settings, int parallelism) {
    this.settings = settings;
    this.parallelism = parallelism;
  }

  @Override
  public void open(SourceReaderContext context) {
    events = new Events(settings);
  }

  @Override
  public RowData map(Long index) {
    long share = settings.events() / parallelism;
    long subtask = index / share;
    long given = index % share;
    long block = given / Events.BLOCK * parallelism + subtask;
    return events.event(block * Events.BLOCK + given % Events.BLOCK);
  }
}
