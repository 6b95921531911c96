package trapline.verify.browser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.NoSuchElementException;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.TimeoutException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.WindowType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/// A Chromium without a window, 1280 pixels wide, that remembers what it asked for and what it complained of.
final class Chromium implements AutoCloseable {

    static final Path PROGRAM = Path.of("/usr/bin/chromium");
    static final Path DRIVER = Path.of("/usr/bin/chromedriver");

    private static final int WIDTH = 1280;
    private static final int HEIGHT = 900;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Selenium would say that it does not know this Chromium's version of a protocol that we do not use.
    private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

    private final ChromeDriver driver;

    private Chromium(ChromeDriver driver) {
        this.driver = driver;
    }

    static Chromium open() {
        SELENIUM.setLevel(Level.OFF);
        ChromeDriverService service =
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(DRIVER.toFile())
                        .usingAnyFreePort()
                        .build();
        ChromeOptions options = new ChromeOptions();
        options.setBinary(PROGRAM.toFile());
        options.addArguments(
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--window-size=" + WIDTH + "," + HEIGHT);
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        options.setCapability(ChromeOptions.LOGGING_PREFS, logs);
        Chromium chromium = new Chromium(new ChromeDriver(service, options));
        chromium.tell(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", WIDTH, "height", HEIGHT, "deviceScaleFactor", 1, "mobile", false));
        return chromium;
    }

    void prefer(String theme) {
        Map<String, Object> feature = Map.of("name", "prefers-color-scheme", "value", theme);
        tell("Emulation.setEmulatedMedia", Map.of("features", List.of(feature)));
    }

    /// Pages that are opened from now on have a clock that is so many milliseconds ahead.
    void ahead(long millis) {
        String source = "const now = Date.now; Date.now = () => now() + " + millis + ";";
        tell("Page.addScriptToEvaluateOnNewDocument", Map.of("source", source));
    }

    private void tell(String command, Map<String, Object> parameters) {
        driver.executeCdpCommand(command, parameters);
    }

    void go(String address) {
        driver.get(address);
    }

    void back() {
        driver.navigate().back();
    }

    String address() {
        return driver.getCurrentUrl();
    }

    Object run(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    /// A second tab, which is looked at from now on.
    Tab tab() {
        String before = driver.getWindowHandle();
        driver.switchTo().newWindow(WindowType.TAB);
        return new Tab(before, driver.getWindowHandle());
    }

    /// Two tabs: the one from before and the new one.
    record Tab(String before, String added) {}

    void look(String tab) {
        driver.switchTo().window(tab);
    }

    WebElement element(String css) {
        await(css, () -> !driver.findElements(By.cssSelector(css)).isEmpty());
        return driver.findElement(By.cssSelector(css));
    }

    boolean has(String css) {
        return !driver.findElements(By.cssSelector(css)).isEmpty();
    }

    void click(String css) {
        stable(() -> {
            element(css).click();
            return null;
        });
    }

    String text(String css) {
        return stable(() -> element(css).getText());
    }

    /// The number an element shows, which has commas between thousands.
    long number(String css) {
        String text = text(css).replace(",", "");
        return text.matches("-?\\d+") ? Long.parseLong(text) : -1;
    }

    /// The page may replace an element between finding and asking it.
    private <T> T stable(Supplier<T> ask) {
        while (true) {
            try {
                return ask.get();
            } catch (StaleElementReferenceException | NoSuchElementException e) {
                Thread.onSpinWait();
            }
        }
    }

    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    void pressWithShift(Keys key) {
        new Actions(driver).keyDown(Keys.SHIFT).sendKeys(key).keyUp(Keys.SHIFT).perform();
    }

    void type(String css, String text) {
        WebElement input = element(css);
        input.sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE, text);
    }

    void upload(String css, Path file) {
        element(css).sendKeys(file.toAbsolutePath().toString());
    }

    /// Drags over an element, from one share of its width to another.
    void drag(String css, double from, double to) {
        WebElement element = element(css);
        int width = element.getSize().width;
        new Actions(driver)
                .moveToElement(element, (int) ((from - 0.5) * width), 0)
                .clickAndHold()
                .moveToElement(element, (int) ((to - 0.5) * width), 0)
                .release()
                .perform();
    }

    /// Waits until something holds, and fails with what the page shows otherwise.
    void await(String what, BooleanSupplier condition) {
        try {
            new WebDriverWait(driver, PATIENCE, Duration.ofMillis(50))
                    .ignoring(StaleElementReferenceException.class)
                    .until(_ -> condition.getAsBoolean());
        } catch (TimeoutException e) {
            String body = driver.findElement(By.tagName("body")).getText();
            throw new AssertionError(
                    "no %s at %s, which shows:%n%s".formatted(what, address(), body), e);
        }
    }

    /// The hosts of all that was asked for since the last call; what is in the page itself has none.
    List<String> hosts() {
        List<String> hosts = new ArrayList<>();
        for (LogEntry entry : driver.manage().logs().get(LogType.PERFORMANCE)) {
            JsonNode message = read(entry.getMessage()).path("message");
            String url =
                    switch (message.path("method").textValue()) {
                        case "Network.requestWillBeSent" ->
                                message.at("/params/request/url").textValue();
                        case "Network.webSocketCreated" -> message.at("/params/url").textValue();
                        case null, default -> "";
                    };
            String host = url.matches("(https?|wss?):.*") ? URI.create(url).getAuthority() : null;
            if (host != null) {
                hosts.add(host);
            }
        }
        return hosts;
    }

    /// What the console has, of any severity, since the last call.
    List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
    }

    void picture(Path file) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        driver.quit();
    }
}
