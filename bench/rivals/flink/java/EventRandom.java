package millrace.nexmark;

/** The random numbers of {@code bench/nexmark/events/event-random.mjs}, draw for draw. */
final class EventRandom {
  static final int LETTERS = 1;
  static final int URLS = 2;
  static final int BID_AUCTION = 3;
  static final int BID_BIDDER = 4;
  static final int BID_PRICE = 5;
  static final int BID_CHANNEL = 6;
  static final int BID_EXTRA = 7;
  static final int BID_EXTRA_START = 8;
  static final int AUCTION_SELLER = 9;
  static final int AUCTION_CATEGORY = 10;
  static final int AUCTION_INITIAL_BID = 11;
  static final int AUCTION_RESERVE = 12;
  static final int AUCTION_LENGTH = 13;
  static final int AUCTION_ITEM_NAME = 14;
  static final int AUCTION_DESCRIPTION = 15;
  static final int AUCTION_EXTRA = 16;
  static final int AUCTION_EXTRA_START = 17;
  static final int PERSON_NAME = 18;
  static final int PERSON_EMAIL_USER = 19;
  static final int PERSON_EMAIL_HOST = 20;
  static final int PERSON_CARD = 21;
  static final int PERSON_CITY = 22;
  static final int PERSON_STATE = 23;
  static final int PERSON_EXTRA = 24;
  static final int PERSON_EXTRA_START = 25;
  static final int USES = 26;

  static final int GOLDEN = 0x9e3779b9;
  private static final int ERA_BITS = 30;
  private static final double UNIT = 0x1p-32;

  private final int seed;
  private final int[] uses = new int[USES];
  private long era = -1;

  EventRandom(long seed) {
    this.seed = (int) seed;
  }

  static int mix(int value) {
    int bits = value ^ (value >>> 16);
    bits *= 0x21f0aaad;
    bits ^= bits >>> 15;
    bits *= 0x735a2d97;
    return bits ^ (bits >>> 15);
  }

  static double unit(int bits) {
    return (bits & 0xffffffffL) * UNIT;
  }

  static int useSeed(int seed, int use, long number) {
    return mix(mix(seed ^ (use * GOLDEN)) ^ (int) (number >> ERA_BITS));
  }

  /** Makes the draws those of the events of the block that begins at an event. */
  void startBlock(long number) {
    if (number >> ERA_BITS == era) {
      return;
    }
    era = number >> ERA_BITS;
    for (int use = 0; use < USES; use++) {
      uses[use] = useSeed(seed, use, number);
    }
  }

  int bits(int use, long id) {
    return mix(uses[use] ^ ((int) id * GOLDEN));
  }

  double unit(int use, long id) {
    return unit(bits(use, id));
  }

  int below(int use, long id, int bound) {
    return (int) (unit(use, id) * bound);
  }
}
