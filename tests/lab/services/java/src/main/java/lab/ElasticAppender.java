package lab;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import net.logstash.logback.encoder.LogstashEncoder;

/** Ships logstash-encoded documents to _bulk from a bounded queue; below its level nothing is shipped. */
public final class ElasticAppender extends AppenderBase<ILoggingEvent> {
  private record Shipped(long sequence, String document) {}

  private final LogstashEncoder encoder = new LogstashEncoder();
  private final BlockingQueue<Shipped> queue = new ArrayBlockingQueue<>((int) Journal.number("SHIP_QUEUE", 500));
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
  private final Level level = Level.toLevel(Journal.env("SHIP_LEVEL", "INFO"));
  private final int truncate = (int) Journal.number("SHIP_TRUNCATE", 0);

  @Override
  public void start() {
    encoder.setContext(getContext());
    encoder.start();
    Thread worker = new Thread(this::run, "elastic-appender");
    worker.setDaemon(true);
    worker.start();
    super.start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    long sequence = event.getSequenceNumber();
    if (!event.getLevel().isGreaterOrEqual(level)) {
      Journal.ONE.write("dropped", Map.of("sequence", sequence, "why", "below_level"));
    } else if (!queue.offer(new Shipped(sequence, document(event)))) {
      Journal.ONE.write("dropped", Map.of("sequence", sequence, "why", "queue_full"));
    }
  }

  private String document(ILoggingEvent event) {
    try {
      ObjectNode row = (ObjectNode) Journal.JSON.readTree(encoder.encode(event));
      row.remove("sequence");
      row.put("podName", Journal.env("POD_NAME", ""));
      String message = row.get("message").asText();
      if (truncate > 0 && message.length() > truncate) {
        row.put("message", message.substring(0, truncate));
        if (!message.substring(truncate).isBlank()) {
          Journal.ONE.write("marked", Map.of("sequence", event.getSequenceNumber(), "why", "truncated"));
        }
      }
      return Journal.JSON.writeValueAsString(row);
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  private void run() {
    int size = (int) Journal.number("SHIP_BATCH", 50);
    while (true) {
      List<Shipped> batch = new ArrayList<>();
      try {
        Shipped first = queue.poll(1, TimeUnit.SECONDS);
        if (first == null) {
          continue;
        }
        batch.add(first);
        Thread.sleep((long) (1000 * Journal.number("SHIP_FLUSH_SECONDS", 1)));
        queue.drainTo(batch, size - 1);
        deliver(batch);
      } catch (InterruptedException error) {
        return;
      }
    }
  }

  private void deliver(List<Shipped> batch) throws InterruptedException {
    String why = "";
    int attempts = (int) Journal.number("SHIP_ATTEMPTS", 2);
    for (int attempt = 1; attempt <= attempts; attempt++) {
      Map<String, String> ids = new LinkedHashMap<>();
      StringBuilder body = new StringBuilder();
      for (Shipped entry : batch) {
        String id = UUID.randomUUID().toString().replace("-", "");
        ids.put(Long.toString(entry.sequence), id);
        body.append("{\"create\":{\"_index\":\"").append(Journal.env("ELASTIC_INDEX", "logs-local"))
            .append("\",\"_id\":\"").append(id).append("\"}}\n").append(entry.document).append('\n');
      }
      Journal.ONE.write("sent", Map.of("attempt", attempt, "ids", ids));
      try {
        batch = refusedForNow(batch, post(body.toString()));
        if (batch.isEmpty()) {
          return;
        }
        why = "too_many_requests";
        Thread.sleep(500);
      } catch (IOException error) {
        why = error.toString();
        Journal.ONE.write("failed", Map.of("attempt", attempt, "why", why));
        Thread.sleep(1000);
      }
    }
    Journal.ONE.write("gave_up", Map.of("sequences", batch.stream().map(Shipped::sequence).toList(), "why", why));
  }

  private JsonNode post(String body) throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(Journal.env("ELASTIC_URL", "http://127.0.0.1:9200") + "/_bulk"))
        .timeout(Duration.ofSeconds(5)).header("Content-Type", "application/x-ndjson")
        .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
    String key = Journal.env("ELASTIC_AUTHORIZATION", "");
    if (!key.isEmpty()) {
      request.header("Authorization", key);
    }
    HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException("HTTP " + response.statusCode());
    }
    return Journal.JSON.readTree(response.body());
  }

  /** Journals each item's fate; the ones answered 429 come back for another attempt. */
  private static List<Shipped> refusedForNow(List<Shipped> batch, JsonNode answer) {
    List<Long> accepted = new ArrayList<>();
    List<Shipped> again = new ArrayList<>();
    for (int at = 0; at < batch.size(); at++) {
      JsonNode result = answer.get("items").get(at).get("create");
      if (result.get("status").asInt() == 429) {
        again.add(batch.get(at));
      } else if (result.get("status").asInt() >= 300) {
        Journal.ONE.write("refused", Map.of("sequence", batch.get(at).sequence,
            "type", result.at("/error/type").asText(), "reason", result.at("/error/reason").asText()));
      } else {
        accepted.add(batch.get(at).sequence);
      }
    }
    Journal.ONE.write("acknowledged", Map.of("sequences", accepted));
    return again;
  }
}
