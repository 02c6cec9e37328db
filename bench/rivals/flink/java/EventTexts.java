package millrace.nexmark;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

/** The texts of {@code bench/nexmark/events/event-texts.mjs}. */
final class EventTexts {
  static final StringData[] CITIES =
      words("Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne");
  static final StringData[] STATES = words("AZ,CA,ID,OR,WA,WY");
  static final StringData[] NAMES = names();
  static final String[] HOT_CHANNELS = {"Google", "Facebook", "Baidu", "Apple"};
  static final int COLD_CHANNELS = 10_000;

  private static final int LENGTH_MIN = 3;
  private static final int SCRATCH_BYTES = 128;

  final StringData[] channels = new StringData[HOT_CHANNELS.length + COLD_CHANNELS];
  final StringData[] urls = new StringData[channels.length];
  /** What the extra fields are cut from. */
  final byte[] letters;

  private final byte[] scratch = new byte[SCRATCH_BYTES];

  EventTexts(long seed, int lettersBytes) {
    letters = letterBlock((int) seed, lettersBytes);
    int use = EventRandom.useSeed((int) seed, EventRandom.URLS, 0);
    for (int channel = 0; channel < channels.length; channel++) {
      boolean isHot = channel < HOT_CHANNELS.length;
      int index = channel - HOT_CHANNELS.length;
      channels[channel] = text(isHot ? HOT_CHANNELS[channel] : "channel-" + index);
      String url = "https://www.nexmark.com/";
      for (int part = 0; part < 3; part++) {
        int bits = EventRandom.mix(use ^ ((channel * 4 + part) * EventRandom.GOLDEN));
        url += new String(scratch, 0, writeLetters(0, bits, 5, '_'), StandardCharsets.US_ASCII) + "/";
      }
      url += "item.htm?query=1";
      int draw = EventRandom.mix(use ^ ((channel * 4 + 3) * EventRandom.GOLDEN));
      if (!isHot && EventRandom.unit(draw) * 10 >= 1) {
        url += "&channel_id=" + Math.abs(Integer.reverse(index));
      }
      urls[channel] = text(url);
    }
  }

  /** A random text of blanks and letters. */
  StringData words(int bits, int lengthMax) {
    return BinaryStringData.fromBytes(wordBytes(bits, lengthMax));
  }

  byte[] wordBytes(int bits, int lengthMax) {
    int end = writeLetters(0, bits, lengthMax, ' ');
    int start = 0;
    while (end > start && scratch[end - 1] == ' ') {
      end--;
    }
    while (start < end && scratch[start] == ' ') {
      start++;
    }
    return Arrays.copyOfRange(scratch, start, end);
  }

  private int writeLetters(int start, int bits, int lengthMax, char blank) {
    int length =
        LENGTH_MIN
            + (int) Math.floor(EventRandom.unit(EventRandom.mix(bits)) * (lengthMax - LENGTH_MIN));
    int draw = 0;
    for (int index = 0; index < length; index++) {
      draw =
          (index & 1) == 0
              ? EventRandom.mix(bits ^ (((index >> 1) + 1) * EventRandom.GOLDEN))
              : draw >>> 16;
      int scaled = (draw & 0xffff) * 13;
      scratch[start + index] =
          (byte) (scaled < 0x10000 ? blank : 'a' + (((scaled & 0xffff) * 26) >>> 16));
    }
    return start + length;
  }

  private static byte[] letterBlock(int seed, int length) {
    byte[] bytes = new byte[length];
    int from = EventRandom.useSeed(seed, EventRandom.LETTERS, 0);
    for (int pair = 0; pair < length / 2; pair++) {
      int draw = EventRandom.mix(from ^ (pair * EventRandom.GOLDEN));
      bytes[2 * pair] = (byte) ('a' + (((draw >>> 16) * 26) >>> 16));
      bytes[2 * pair + 1] = (byte) ('a' + (((draw & 0xffff) * 26) >>> 16));
    }
    return bytes;
  }

  private static StringData[] names() {
    String[] first = "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter".split(",");
    String[] last = "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris".split(",");
    StringData[] names = new StringData[first.length * last.length];
    for (int index = 0; index < names.length; index++) {
      names[index] = text(first[index / last.length] + " " + last[index % last.length]);
    }
    return names;
  }

  private static StringData[] words(String list) {
    return Arrays.stream(list.split(",")).map(EventTexts::text).toArray(StringData[]::new);
  }

  private static StringData text(String text) {
    return BinaryStringData.fromBytes(text.getBytes(StandardCharsets.US_ASCII));
  }
}
