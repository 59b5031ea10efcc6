package groundswell;

import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.connector.catalog.FunctionCatalog;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.functions.BoundFunction;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.apache.spark.unsafe.types.UTF8String;

/** The keyword rule as functions of a Spark catalog; core.keywords calls them with the definition of the rule. */
public final class Functions implements FunctionCatalog {
    private static final Map<String, UnboundFunction> FUNCTIONS = new TreeMap<>(Map.of(
            "keywords", new Keywords(), "words", new Words(), "hashtags", new Hashtags(), "folded", new Folded()));
    private static final String[] NO_PHRASES = {};

    private String name;

    @Override
    public void initialize(String name, CaseInsensitiveStringMap options) {
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Identifier[] listFunctions(String[] namespace) {
        return FUNCTIONS.keySet().stream().map(each -> Identifier.of(namespace, each)).toArray(Identifier[]::new);
    }

    @Override
    public UnboundFunction loadFunction(Identifier identifier) {
        UnboundFunction found = FUNCTIONS.get(identifier.name());
        if (found == null) {
            throw new IllegalArgumentException("There is no function " + identifier + ".");
        }
        return found;
    }

    /** `keywords(text, definition, phrases)`: phrases are lines; an array, empty for null. */
    public static final class Keywords extends TextFunction {
        public Keywords() {
            super("keywords", DataTypes.createArrayType(DataTypes.StringType, false), 3);
        }

        public static ArrayData invoke(UTF8String text, UTF8String definition, UTF8String phrases) {
            Compiled compiled = Compiled.of(definition);
            return array(compiled.rule.keywords(textOf(text), compiled.phrases(phrases)));
        }
    }

    /** `words(text, definition)`: an array, empty for null. */
    public static final class Words extends TextFunction {
        public Words() {
            super("words", DataTypes.createArrayType(DataTypes.StringType, false), 2);
        }

        public static ArrayData invoke(UTF8String text, UTF8String definition) {
            return array(Compiled.of(definition).rule.words(textOf(text)));
        }
    }

    /** `hashtags(text, definition)`: an array, empty for null. */
    public static final class Hashtags extends TextFunction {
        public Hashtags() {
            super("hashtags", DataTypes.createArrayType(DataTypes.StringType, false), 2);
        }

        public static ArrayData invoke(UTF8String text, UTF8String definition) {
            return array(Compiled.of(definition).rule.hashtags(textOf(text)));
        }
    }

    /** `folded(text, definition)`: a string, null for null. */
    public static final class Folded extends TextFunction {
        public Folded() {
            super("folded", DataTypes.StringType, 2);
        }

        public static UTF8String invoke(UTF8String text, UTF8String definition) {
            return text == null ? null : UTF8String.fromString(Compiled.of(definition).rule.folded(text.toString()));
        }
    }

    /** A function of strings whose static method `invoke` Spark calls. */
    public abstract static class TextFunction implements UnboundFunction, ScalarFunction<Object> {
        private final String name;
        private final DataType resultType;
        private final DataType[] inputTypes;

        TextFunction(String name, DataType resultType, int inputs) {
            this.name = name;
            this.resultType = resultType;
            this.inputTypes = new DataType[inputs];
            Arrays.fill(inputTypes, DataTypes.StringType);
        }

        @Override
        public BoundFunction bind(StructType inputs) {
            return this;
        }

        @Override
        public String description() {
            return "Groundswell's keyword rule: " + name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String canonicalName() {
            return "groundswell." + name;
        }

        @Override
        public DataType[] inputTypes() {
            return inputTypes;
        }

        @Override
        public DataType resultType() {
            return resultType;
        }
    }

    /** What a thread has made of the definitions and phrases that it was given last; Spark passes them each time. */
    private static final class Compiled {
        private static final int REMEMBERED = 4;
        private static final ThreadLocal<Compiled[]> RECENT = ThreadLocal.withInitial(() -> new Compiled[REMEMBERED]);
        private static UTF8String newestDefinition;
        private static KeywordRule newestRule;

        private final UTF8String definition;
        private final KeywordRule rule;
        private UTF8String lines;
        private String[] phrases = NO_PHRASES;

        private Compiled(UTF8String definition) {
            this.definition = definition;
            this.rule = ruleOf(definition);
        }

        static Compiled of(UTF8String definition) {
            Compiled[] recent = RECENT.get();
            for (Compiled each : recent) {
                if (each != null && each.definition == definition) {
                    return each;
                }
            }
            System.arraycopy(recent, 0, recent, 1, REMEMBERED - 1);
            recent[0] = new Compiled(definition);
            return recent[0];
        }

        private static synchronized KeywordRule ruleOf(UTF8String definition) {
            if (!definition.equals(newestDefinition)) {
                newestRule = new KeywordRule(definition.toString());
                newestDefinition = definition.copy();
            }
            return newestRule;
        }

        String[] phrases(UTF8String given) {
            if (lines != given) {
                lines = given;
                phrases = given.numBytes() == 0 ? NO_PHRASES : given.toString().split("\n");
            }
            return phrases;
        }
    }

    private static String textOf(UTF8String text) {
        return text == null ? "" : text.toString();
    }

    private static ArrayData array(Collection<String> words) {
        Object[] items = new Object[words.size()];
        int place = 0;
        for (String word : words) {
            items[place++] = UTF8String.fromString(word);
        }
        return new GenericArrayData(items);
    }
}
