package millrace.nexmark;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * The events of {@code bench/nexmark/events}, one after the other, as rows {@code (event_type, person, auction, bid)}.
 * Not for several threads.
 */
final class Events {
  static final int BLOCK = 1000;

  /** What decides the events, see {@code event-settings.mjs}. */
  record Settings(long events, long seed, double eventsPerSecond, long startMs, int outOfOrder)
      implements Serializable {}

  private static final int CYCLE = 50;
  private static final int FIRST_ID = 1000;
  private static final int LETTERS_BYTES = 1 << 21;
  private static final int PERSON = 0;
  private static final int AUCTION = 1;
  private static final int BID = 2;
  private static final int[] AVERAGE_BYTES = {200, 500, 100};
  private static final int[] EXTRA = {
    EventRandom.PERSON_EXTRA, EventRandom.AUCTION_EXTRA, EventRandom.BID_EXTRA
  };
  private static final int[] EXTRA_START = {
    EventRandom.PERSON_EXTRA_START, EventRandom.AUCTION_EXTRA_START, EventRandom.BID_EXTRA_START
  };

  private final Settings settings;
  private final double gapUs;
  private final EventRandom random;
  private final EventTexts texts;
  /** By kind: where the next extra text of the block begins. */
  private final int[] positions = new int[3];
  private long next = -1;

  Events(Settings settings) {
    this.settings = settings;
    gapUs = 1_000_000 / settings.eventsPerSecond();
    random = new EventRandom(settings.seed());
    texts = new EventTexts(settings.seed(), LETTERS_BYTES);
  }

  /** Event {@code number}; those of a block are cheap one after the other only. */
  RowData event(long number) {
    long within = number % BLOCK;
    if (within == 0) {
      startBlock(number);
    } else if (number != next) {
      startBlock(number - within);
      for (long before = number - within; before < number; before++) {
        make(before);
      }
    }
    next = number + 1;
    return make(number);
  }

  private void startBlock(long first) {
    random.startBlock(first);
    for (int kind = 0; kind < 3; kind++) {
      double unit = random.unit(EXTRA_START[kind], first / BLOCK);
      positions[kind] = (int) Math.floor((unit * LETTERS_BYTES) / 2);
    }
  }

  private RowData make(long number) {
    int group = settings.outOfOrder();
    long id = number - number % group + (number * 953) % group;
    long cycle = id / CYCLE;
    int place = (int) (id % CYCLE);
    GenericRowData row = new GenericRowData(4);
    if (place == 0) {
      row.setField(0, PERSON);
      row.setField(1, person(id, cycle));
    } else if (place < 4) {
      row.setField(0, AUCTION);
      row.setField(2, auction(id, cycle, cycle * 3 + place - 1));
    } else {
      row.setField(0, BID);
      row.setField(3, bid(id, cycle, cycle * 3 + 2));
    }
    return row;
  }

  private RowData person(long id, long cycle) {
    StringData name = pick(EventTexts.NAMES, EventRandom.PERSON_NAME, id);
    StringData city = pick(EventTexts.CITIES, EventRandom.PERSON_CITY, id);
    StringData state = pick(EventTexts.STATES, EventRandom.PERSON_STATE, id);
    byte[] user = texts.wordBytes(random.bits(EventRandom.PERSON_EMAIL_USER, id), 7);
    byte[] host = texts.wordBytes(random.bits(EventRandom.PERSON_EMAIL_HOST, id), 5);
    String address = ascii(user) + "@" + ascii(host) + ".com";
    int bytes = 8 + 19 + address.length() + length(name) + length(city) + length(state);
    GenericRowData row = new GenericRowData(8);
    row.setField(0, FIRST_ID + cycle);
    row.setField(1, name);
    row.setField(2, StringData.fromString(address));
    row.setField(3, creditCard(random.bits(EventRandom.PERSON_CARD, id)));
    row.setField(4, city);
    row.setField(5, state);
    row.setField(6, time(id));
    row.setField(7, extra(PERSON, id, bytes));
    return row;
  }

  private RowData auction(long id, long cycle, long auction) {
    long initialBid = EventPrices.price(random.bits(EventRandom.AUCTION_INITIAL_BID, id));
    StringData itemName = texts.words(random.bits(EventRandom.AUCTION_ITEM_NAME, id), 20);
    StringData description = texts.words(random.bits(EventRandom.AUCTION_DESCRIPTION, id), 100);
    long horizonMs = timeMs(id + 100 * CYCLE / 3) - timeMs(id);
    double unit = random.unit(EventRandom.AUCTION_LENGTH, id);
    long lasts = 1 + (long) Math.floor(unit * Math.max(2 * horizonMs, 1));
    GenericRowData row = new GenericRowData(10);
    row.setField(0, FIRST_ID + auction);
    row.setField(1, itemName);
    row.setField(2, description);
    row.setField(3, initialBid);
    row.setField(4, initialBid + EventPrices.price(random.bits(EventRandom.AUCTION_RESERVE, id)));
    row.setField(5, time(id));
    row.setField(6, TimestampData.fromEpochMillis(timeMs(id) + lasts));
    row.setField(7, FIRST_ID + human(EventRandom.AUCTION_SELLER, id, cycle, 0));
    row.setField(8, 10L + random.below(EventRandom.AUCTION_CATEGORY, id, 5));
    row.setField(9, extra(AUCTION, id, 48 + length(itemName) + length(description)));
    return row;
  }

  private RowData bid(long id, long cycle, long last) {
    double drawn = random.unit(EventRandom.BID_AUCTION, id) * 2;
    long first = Math.max(last - 100, 0);
    long auction =
        drawn >= 1 ? last - last % 100 : first + (long) Math.floor(drawn * (last - first + 11));
    double channelDrawn = random.unit(EventRandom.BID_CHANNEL, id) * 2;
    int channel =
        (int) Math.floor(channelDrawn >= 1 ? (channelDrawn - 1) * 4 : 4 + Math.floor(channelDrawn * 10_000));
    GenericRowData row = new GenericRowData(7);
    row.setField(0, FIRST_ID + auction);
    row.setField(1, 2 * FIRST_ID + human(EventRandom.BID_BIDDER, id, cycle, 1));
    row.setField(2, EventPrices.price(random.bits(EventRandom.BID_PRICE, id)));
    row.setField(3, texts.channels[channel]);
    row.setField(4, texts.urls[channel]);
    row.setField(5, time(id));
    row.setField(6, extra(BID, id, 32));
    return row;
  }

  /** A hot person, the {@code hotPlace}th of a hundred, or any active one. */
  private long human(int use, long id, long last, int hotPlace) {
    double drawn = random.unit(use, id) * 4;
    if (drawn >= 1) {
      return last - last % 100 + hotPlace;
    }
    long active = Math.min(last + 1, 1000);
    return last + 1 - active + (long) Math.floor(drawn * (active + 10));
  }

  private StringData extra(int kind, long id, int bytes) {
    int room = AVERAGE_BYTES[kind] - bytes;
    int spread = (int) Math.floor(room * 0.2 + 0.5);
    int length = room < 0 ? 0 : room - spread + random.below(EXTRA[kind], id, 2 * spread);
    int start = positions[kind];
    positions[kind] = start + length;
    return BinaryStringData.fromBytes(texts.letters, start, length);
  }

  private StringData pick(StringData[] choices, int use, long id) {
    return choices[random.below(use, id, choices.length)];
  }

  private static StringData creditCard(int bits) {
    byte[] digits = new byte[19];
    for (int group = 0; group < 4; group++) {
      int number = (int) (EventRandom.unit(EventRandom.mix(bits ^ (group + 1))) * 10_000);
      for (int digit = 3; digit >= 0; digit--) {
        digits[group * 5 + digit] = (byte) ('0' + number % 10);
        number /= 10;
      }
      if (group > 0) {
        digits[group * 5 - 1] = ' ';
      }
    }
    return BinaryStringData.fromBytes(digits);
  }

  private long timeMs(long id) {
    return settings.startMs() + (long) Math.floor(id * gapUs) / 1000;
  }

  private TimestampData time(long id) {
    return TimestampData.fromEpochMillis(timeMs(id));
  }

  private static int length(StringData text) {
    return ((BinaryStringData) text).getSizeInBytes();
  }

  private static String ascii(byte[] bytes) {
    return new String(bytes, StandardCharsets.US_ASCII);
  }
}
