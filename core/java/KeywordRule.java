package groundswell;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.text.Normalizer2;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The keyword rule for single texts on the JVM: equal to core.text_keywords in Python.
 *
 * <p>Patterns, tables, limits and function words come from core.keyword_rule by way of core.keywords, as JSON.
 */
final class KeywordRule {
    private static final long UNKNOWN = -1;
    private static final Normalizer2 COMPOSER = Normalizer2.getNFKCInstance();

    private final Map<String, Pattern> patterns = new HashMap<>();
    private final Map<String, Long> sure = new HashMap<>();
    private final Map<String, Long> ambiguous = new HashMap<>();
    private final Translation before;
    private final Translation after;
    private final Characters odd;
    private final Characters unspaced;
    private final String dotOfI;
    private final String numberSignKeycap;
    private final int mostCharacters;
    private final int mostKeywords;

    KeywordRule(String definition) {
        JsonNode parts;
        try {
            parts = new ObjectMapper().readTree(definition);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        parts.get("patterns").fields()
                .forEachRemaining(part -> patterns.put(part.getKey(), Pattern.compile(part.getValue().asText())));
        parts.get("sure").fields().forEachRemaining(word -> sure.put(word.getKey(), word.getValue().asLong()));
        parts.get("ambiguous").fields()
                .forEachRemaining(word -> ambiguous.put(word.getKey(), word.getValue().asLong()));
        before = new Translation(parts.get("before"));
        after = new Translation(parts.get("after"));
        odd = new Characters(patterns.get("odd"));
        unspaced = new Characters(patterns.get("unspaced"));
        dotOfI = parts.get("dot_of_i").asText();
        numberSignKeycap = parts.get("number_sign_keycap").asText();
        mostCharacters = parts.get("characters").asInt();
        mostKeywords = parts.get("keywords").asInt();
    }

    /** Returns the distinct keywords of a text in order, those of the phrases that it contains first. */
    Collection<String> keywords(String text, String[] phrases) {
        List<String> tokens = tokens(text);
        Set<String> found = new LinkedHashSet<>();
        if (phrases.length > 0) {
            String joined = (" " + String.join(" ", tokens) + " ").replace(" #", " ");
            for (String phrase : phrases) {
                if (joined.contains(" " + phrase + " ")) {
                    found.add(phrase);
                }
            }
        }
        boolean cut = text.length() > mostCharacters && find("long_run", text);
        for (String token : withoutFunctionWords(tokens)) {
            String keyword = withoutSign(token);
            found.add(cut ? shortened(keyword) : keyword);
        }
        return first(found);
    }

    /** Returns all words of a text in order, with function words and repetitions. */
    Collection<String> words(String text) {
        List<String> words = tokens(text);
        words.replaceAll(KeywordRule::withoutSign);
        return words;
    }

    /** Returns the distinct hashtags of a text in order, without their sign. */
    Collection<String> hashtags(String text) {
        if (!find("hash_sign", text)) {
            return List.of();
        }
        Set<String> tags = new LinkedHashSet<>();
        for (String tag : all("hashtag", folded(text), 0)) {
            tags.add(shortened(withoutSign(tag)));
        }
        return first(tags);
    }

    /** Returns a text as the rule reads it: composed, case folded, no links or mentions. */
    String folded(String text) {
        return withoutLinks(isAscii(text) ? text.toLowerCase(Locale.ROOT) : foldedLetters(text));
    }

    private List<String> tokens(String text) {
        String folded = folded(text);
        if (isAscii(text)) {
            return all("ascii_word", folded, 0);
        }
        List<String> tokens = all("token", folded, 0);
        if (unspaced.anyIn(folded)) {
            tokens.addAll(all("pair", replaced("hashtag", folded, " "), 1));
        }
        return tokens;
    }

    private String foldedLetters(String text) {
        String folded = UCharacter.foldCase(COMPOSER.normalize(before.of(text)), true);
        if (!odd.anyIn(folded)) {
            return folded;
        }
        String alike = after.of(folded).replace(dotOfI, "i").replace(numberSignKeycap, " ");
        return replaced("keycap", replaced("stray_marks", alike, ""), " $0 ");
    }

    private String withoutLinks(String folded) {
        if (find("link_sign", folded)) {
            return replaced("link_or_mention", folded, " ");
        }
        return folded.indexOf('@') < 0 ? folded : replaced("mention", folded, " ");
    }

    private List<String> withoutFunctionWords(List<String> tokens) {
        long languages = UNKNOWN;
        for (String token : tokens) {
            languages &= sure.getOrDefault(token, UNKNOWN);
        }
        if (languages == UNKNOWN) {
            return tokens;
        }
        List<String> kept = new ArrayList<>(tokens.size());
        for (String token : tokens) {
            if (!sure.containsKey(token) && (ambiguous.getOrDefault(token, 0L) & languages) == 0) {
                kept.add(token);
            }
        }
        return kept;
    }

    private Collection<String> first(Set<String> words) {
        return words.size() <= mostKeywords ? words : new ArrayList<>(words).subList(0, mostKeywords);
    }

    private String shortened(String word) {
        return word.length() <= mostCharacters || word.codePointCount(0, word.length()) <= mostCharacters
                ? word
                : word.substring(0, word.offsetByCodePoints(0, mostCharacters));
    }

    private boolean find(String pattern, String text) {
        return patterns.get(pattern).matcher(text).find();
    }

    private String replaced(String pattern, String text, String replacement) {
        return patterns.get(pattern).matcher(text).replaceAll(replacement);
    }

    private List<String> all(String pattern, String text, int group) {
        List<String> found = new ArrayList<>();
        Matcher matcher = patterns.get(pattern).matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(group));
        }
        return found;
    }

    private static String withoutSign(String token) {
        return token.charAt(0) == '#' ? token.substring(1) : token;
    }

    private static boolean isAscii(String text) {
        for (int place = 0; place < text.length(); place++) {
            if (text.charAt(place) > 0x7F) {
                return false;
            }
        }
        return true;
    }

    /** A class of characters; what its pattern says of each is remembered. */
    private static final class Characters {
        private static final byte IN = 1;
        private static final byte OUT = 2;
        private final byte[] known = new byte[Character.MAX_CODE_POINT + 1];
        private final Pattern pattern;

        Characters(Pattern pattern) {
            this.pattern = pattern;
        }

        boolean anyIn(String text) {
            for (int place = 0, point; place < text.length(); place += Character.charCount(point)) {
                point = text.codePointAt(place);
                if (known[point] == 0) {
                    known[point] = pattern.matcher(Character.toString(point)).matches() ? IN : OUT;
                }
                if (known[point] == IN) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Characters that become others, or nothing. */
    private static final class Translation {
        private static final int SAME = -1;
        private static final int NOTHING = -2;
        private final int[] targets = new int[Character.MAX_CODE_POINT + 1];

        Translation(JsonNode parts) {
            Arrays.fill(targets, SAME);
            int[] source = parts.get(0).asText().codePoints().toArray();
            int[] target = parts.get(1).asText().codePoints().toArray();
            for (int place = source.length - 1; place >= 0; place--) {
                targets[source[place]] = place < target.length ? target[place] : NOTHING;
            }
        }

        String of(String text) {
            StringBuilder changed = null;
            for (int place = 0, point; place < text.length(); place += Character.charCount(point)) {
                point = text.codePointAt(place);
                int target = targets[point];
                if (target != SAME && changed == null) {
                    changed = new StringBuilder(text.length()).append(text, 0, place);
                }
                if (changed != null && target != NOTHING) {
                    changed.appendCodePoint(target == SAME ? point : target);
                }
            }
            return changed == null ? text : changed.toString();
        }
    }
}
