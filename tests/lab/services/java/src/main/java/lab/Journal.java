package lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** The private truth: one JSON line per event, appended to a file on the node; it outlives the process. */
final class Journal {
  static final ObjectMapper JSON = new ObjectMapper();
  static final Journal ONE = new Journal();
  private final FileOutputStream file;

  private Journal() {
    String uid = env("POD_UID", "00000000-0000-0000-0000-000000000000");
    String container = env("CONTAINER_NAME", "app");
    Path folder = Path.of(env("TRUTH_FOLDER", "/lab/private"));
    try {
      Files.createDirectories(folder);
      file = new FileOutputStream(folder.resolve(uid + "." + container + "." + nanos() + ".jsonl").toFile(), true);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    write("started", Map.of("namespace", env("POD_NAMESPACE", ""), "pod", env("POD_NAME", ""), "uid", uid,
        "container", container, "ip", env("POD_IP", ""), "image", env("IMAGE", "")));
  }

  static String env(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }

  static double number(String name, double otherwise) {
    return Double.parseDouble(env(name, Double.toString(otherwise)));
  }

  static long nanos() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  synchronized void write(String event, Map<String, ?> facts) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("event", event);
    row.put("at", nanos());
    row.putAll(facts);
    try {
      file.write((JSON.writeValueAsString(row) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (JsonProcessingException error) {
      throw new IllegalStateException(error);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
