package millrace.nexmark;

/** The prices of {@code bench/nexmark/events/event-prices.mjs}. */
final class EventPrices {
  private static final int TABLE_BITS = 12;
  private static final double STEP = (100 * 13.815510557964274) / 4294967296.0;
  private static final double[] UPPER = powers(1);
  private static final double[] LOWER = powers(1 + TABLE_BITS);

  private EventPrices() {}

  private static double[] powers(int bit) {
    double[] roots = new double[TABLE_BITS];
    double root = 1_000_000;
    for (int index = 1; index < bit + TABLE_BITS; index++) {
      root = Math.sqrt(root);
      if (index >= bit) {
        roots[index - bit] = root;
      }
    }
    double[] table = new double[1 << TABLE_BITS];
    for (int index = 0; index < table.length; index++) {
      double product = 1;
      for (int at = 0; at < TABLE_BITS; at++) {
        if (((index >> (TABLE_BITS - 1 - at)) & 1) == 1) {
          product *= roots[at];
        }
      }
      table[index] = product;
    }
    return table;
  }

  static long price(int bits) {
    double power = UPPER[bits >>> 20] * LOWER[(bits >>> 8) & ((1 << TABLE_BITS) - 1)];
    return (long) Math.floor(power * (100 + (bits & 0xff) * STEP) + 0.5);
  }
}
