package trapline.dashboard;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/// A page as a reader's browser has it: parsed, strictly.
record Page(Document document) {

    static Page parse(String text) {
        try {
            return new Page(
                    DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(new InputSource(new StringReader(text))));
        } catch (SAXException | IOException | ParserConfigurationException e) {
            throw new AssertionError(e);
        }
    }

    List<Element> elements(String name) {
        return elements(document.getElementsByTagName(name));
    }

    static List<Element> elements(NodeList nodes) {
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    /// The drawings of one kind.
    List<Element> drawings(String kind) {
        return elements("svg").stream()
                .filter(svg -> svg.getAttribute("class").equals(kind))
                .toList();
    }

    static List<Element> in(Element around, String name, String kind) {
        return elements(around.getElementsByTagName(name)).stream()
                .filter(element -> element.getAttribute("class").equals(kind))
                .toList();
    }

    String section(String id) {
        return sectionElement(id).getTextContent();
    }

    private Element sectionElement(String id) {
        return elements("section").stream()
                .filter(section -> section.getAttribute("id").equals(id))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no section " + id));
    }

    /// The cells of the first row of a section that begins with a name.
    Optional<List<String>> row(String section, String name) {
        return rows(section).stream().filter(cells -> cells.getFirst().equals(name)).findFirst();
    }

    List<List<String>> rows(String section) {
        return elements(sectionElement(section).getElementsByTagName("tr")).stream()
                .map(row -> elements(row.getElementsByTagName("td")))
                .filter(cells -> !cells.isEmpty())
                .map(cells -> cells.stream().map(Element::getTextContent).toList())
                .toList();
    }
}
