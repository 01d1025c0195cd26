import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.ItemsetBinding;
import org.javarosa.core.model.SelectChoice;
import org.javarosa.core.model.ValidateOutcome;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeElement;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.core.services.locale.Localizer;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.parse.XFormParser;
import org.javarosa.xform.util.XFormUtils;

/**
 * Asks JavaRosa, the engine inside ODK Collect, what it makes of a filled form.
 *
 * <p>Standard input has one command a line: {@code form PATH} loads an XForm, {@code fill BASE64} opens a filled
 * instance (UTF-8 XML) as a client opens a saved record, walks through every question and checks it. The answer to
 * {@code fill} is a block of lines, tabs between the fields, an empty line at its end:
 *
 * <pre>
 * node  PATH  relevant|irrelevant  ok|required|constraint  CLEARED  VALUE       each leaf, in document order
 * list  PATH  CHOICES                                                           each select shown: what it offers
 * text  PATH  LANGUAGE  LABEL                                                   each question shown whose label varies
 * failed  MESSAGE                                                               instead of all: JavaRosa threw
 * </pre>
 *
 * CLEARED is {@code cleared} where JavaRosa took away an answer that its filtered list does not offer.
 */
public final class Oracle {
    private static final int MOST_WALKS = 12;
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    private final FormDef form;
    private final TreeElement pristine;
    private final Map<String, String> verdicts = new HashMap<>();
    private final Map<String, String> lists = new HashMap<>();
    private final Map<String, String> labels = new HashMap<>();
    private final Map<String, String> held = new HashMap<>();
    private final TreeSet<String> cleared = new TreeSet<>();

    private Oracle(Path xform) throws Exception {
        form = XFormUtils.getFormFromFormXml(xform.toString(), null);
        pristine = form.getMainInstance().getRoot().deepCopy(true);
    }

    public static void main(String[] arguments) throws Exception {
        System.setOut(System.err); // the engine talks; only answers go to standard output
        new XFormsModule().registerModule();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Oracle oracle = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] command = line.split(" ", 2);
            try {
                if (command[0].equals("form")) {
                    oracle = null;
                    oracle = new Oracle(Path.of(command[1]));
                } else {
                    OUT.print(oracle.fill(new String(Base64.getDecoder().decode(command[1]), StandardCharsets.UTF_8)));
                }
            } catch (Exception error) { // what the engine says is the answer; the next line is another question
                OUT.println("failed\t" + escaped(error.getClass().getSimpleName() + ": " + error.getMessage()));
            }
            OUT.println();
            OUT.flush();
        }
    }

    private String fill(String xml) throws Exception {
        List.of(verdicts, lists, labels, held).forEach(Map::clear);
        cleared.clear();
        TreeElement root = pristine.deepCopy(true);
        root.populate(XFormParser.restoreDataModel(XFormParser.getXMLDocument(new StringReader(xml)), null).getRoot(), form);
        form.getMainInstance().setRoot(root);
        hold(root); // jr:choice-name() may clear an answer before any question is shown
        form.initialize(false, new InstanceInitializationFactory());
        int walks = 0;
        while (walk(false)) {
            if (++walks > MOST_WALKS) {
                throw new IllegalStateException("answers are cleared without end");
            }
        }
        walk(true);
        agreeWithValidate();
        StringBuilder told = new StringBuilder();
        tell(form.getMainInstance().getRoot(), "", told);
        return told.toString();
    }

    /** Goes through every question that a client would show; true when an answer was cleared on the way. */
    private boolean walk(boolean checking) throws Exception {
        FormEntryModel model = new FormEntryModel(form);
        FormEntryController controller = new FormEntryController(model);
        controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        boolean changed = false;
        for (int event = controller.stepToNextEvent();
                event != FormEntryController.EVENT_END_OF_FORM;
                event = controller.stepToNextEvent()) {
            if (event == FormEntryController.EVENT_QUESTION) {
                FormEntryPrompt prompt = model.getQuestionPrompt();
                changed |= offer(prompt, checking);
                if (checking) {
                    check(controller, prompt);
                }
            }
        }
        return changed;
    }

    /** Fills a select's list, which takes away answers that are not on it; then tells the form, as a client does. */
    private boolean offer(FormEntryPrompt prompt, boolean checking) throws Exception {
        int control = prompt.getControlType();
        if (control != Constants.CONTROL_SELECT_ONE && control != Constants.CONTROL_SELECT_MULTI && control != Constants.CONTROL_RANK) {
            return false;
        }
        TreeReference place = prompt.getIndex().getReference();
        forgetChoices(prompt.getQuestion().getDynamicChoices());
        List<SelectChoice> choices = prompt.getSelectChoices();
        if (checking) {
            lists.put(path(place), choices.stream().map(SelectChoice::getValue).collect(Collectors.joining(" ")));
        }
        IAnswerData left = form.getMainInstance().resolveReference(place).getValue();
        String now = left == null ? "" : left.uncast().getString();
        String was = held.put(path(place), now);
        if (now.equals(was == null ? "" : was)) {
            return false;
        }
        cleared.add(path(place));
        form.setValue(left, place, true);
        return true;
    }

    private void hold(TreeElement node) {
        for (int index = 0; index < node.getNumChildren(); index++) {
            hold(node.getChildAt(index));
        }
        if (node.getNumChildren() == 0 && node.getMult() != TreeReference.INDEX_TEMPLATE) {
            held.put(path(node), value(node));
        }
    }

    /** The list is kept between calls, and then answers would not be looked at. */
    private static void forgetChoices(ItemsetBinding binding) throws Exception {
        if (binding != null) {
            Field kept = ItemsetBinding.class.getDeclaredField("cachedFilteredChoiceList");
            kept.setAccessible(true);
            kept.set(binding, null);
        }
    }

    private void check(FormEntryController controller, FormEntryPrompt prompt) {
        String place = path(prompt.getIndex().getReference());
        int verdict = prompt.isReadOnly() ? FormEntryController.ANSWER_OK
                : controller.answerQuestion(prompt.getIndex(), prompt.getAnswerValue(), false);
        verdicts.put(place, named(verdict));
        Localizer words = form.getLocalizer();
        for (String language : words == null ? new String[] {""} : words.getAvailableLocales()) {
            if (words != null) {
                words.setLocale(language);
            }
            String label = escaped(String.valueOf(prompt.getQuestionText()));
            labels.merge(place, String.join("\t", "text", place, escaped(language), label) + "\n", String::concat);
        }
        if (words != null) {
            words.setToDefault(); // jr:choice-name() answers in the language of the moment
        }
    }

    private static String named(int verdict) {
        return verdict == FormEntryController.ANSWER_OK ? "ok"
                : verdict == FormEntryController.ANSWER_REQUIRED_BUT_EMPTY ? "required" : "constraint";
    }

    /** What a client runs before it sends: the first failure that it finds must be one that we found. */
    private void agreeWithValidate() {
        ValidateOutcome outcome = form.validate(true);
        boolean failed = verdicts.containsValue("required") || verdicts.containsValue("constraint");
        if (outcome == null ? failed
                : !named(outcome.outcome).equals(verdicts.get(path(outcome.failedPrompt.getReference())))) {
            throw new IllegalStateException("validate() disagrees with the walk: " + verdicts);
        }
    }

    private void tell(TreeElement parent, String above, StringBuilder told) {
        for (int index = 0; index < parent.getNumChildren(); index++) {
            TreeElement child = parent.getChildAt(index);
            if (child.getMult() == TreeReference.INDEX_TEMPLATE || child.getName().equals("meta")) {
                continue;
            }
            String path = above + "/" + child.getName() + (child.isRepeatable() ? "[" + (child.getMult() + 1) + "]" : "");
            if (child.getNumChildren() > 0) {
                tell(child, path, told);
                continue;
            }
            told.append(String.join("\t", "node", path,
                    child.isRelevant() ? "relevant" : "irrelevant",
                    verdicts.getOrDefault(path, "ok"),
                    cleared.contains(path) ? "cleared" : "",
                    escaped(value(child)))).append('\n');
            if (lists.containsKey(path)) {
                told.append("list\t").append(path).append('\t').append(escaped(lists.get(path))).append('\n');
            }
            told.append(labels.getOrDefault(path, ""));
        }
    }

    private static String value(TreeElement node) {
        return node.getValue() == null ? "" : node.getValue().uncast().getString();
    }

    private String path(TreeReference place) {
        return path((TreeElement) form.getMainInstance().resolveReference(place));
    }

    /** /children[2]/age: entries count from one, only repeats are numbered. */
    private String path(TreeElement node) {
        StringBuilder path = new StringBuilder();
        for (; node != form.getMainInstance().getRoot(); node = (TreeElement) node.getParent()) {
            path.insert(0, "/" + node.getName() + (node.isRepeatable() ? "[" + (node.getMult() + 1) + "]" : ""));
        }
        return path.toString();
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
    }
}
