package lab;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Java service of the lab: logback's pattern on the console, logstash documents to Elasticsearch. */
public final class OrdersService {
  private static final Logger LOG = LoggerFactory.getLogger("shop.orders.OrderService");
  private static final Logger STORE = LoggerFactory.getLogger("shop.orders.persistence.OrderStore");
  private final Random random = new Random();

  public static void main(String[] arguments) throws InterruptedException, IOException {
    System.out.println("orders-service " + Journal.env("VERSION", "dev") + " on Java " + Runtime.version());
    Thread link = new Thread(Broker::hold, "amqp-link");
    link.setDaemon(true);
    link.start();
    OrdersService service = new OrdersService();
    Path control = Path.of(Journal.env("CONTROL_FOLDER", "/lab/control"), Journal.env("POD_NAME", "local") + ".json");
    long pause = (long) (1000 / Journal.number("RATE", 4));
    while (true) {
      service.tell();
      service.obey(control);
      Thread.sleep(pause);
    }
  }

  private void tell() {
    String order = "O-" + (1_000_000 + random.nextInt(9_000_000));
    int pick = random.nextInt(20);
    if (pick < 7) {
      LOG.info("Order {} reserved at warehouse {}", order, random.nextInt(9));
    } else if (pick < 11) {
      STORE.debug("select * from orders where id = '{}' took {} ms", order, random.nextInt(90));
    } else if (pick < 15) {
      LOG.info("heartbeat ok");
    } else if (pick < 17) {
      LOG.warn("Order {} waits for stock since {} s, façade Genève", order, random.nextInt(9000));
    } else if (pick < 18) {
      LOG.info("Packing list of {}: {}", order, "1 x box; ".repeat(20 + random.nextInt(120)));
    } else {
      LOG.error("Order {} was not stored", order, failure(order));
    }
  }

  private static Exception failure(String order) {
    return new IllegalStateException("transaction of " + order + " rolled back", new IOException("connection reset by peer"));
  }

  private void obey(Path control) throws IOException {
    if (!Files.exists(control)) {
      return;
    }
    JsonNode command = Journal.JSON.readTree(control.toFile());
    Files.delete(control);
    switch (command.get("do").asText()) {
      case "burst" -> {
        for (int at = 0; at < command.get("count").asInt(); at++) {
          LOG.warn("Replaying reservation {} of {}", at, command.get("count").asInt());
        }
      }
      case "crash" -> throw new IllegalStateException("the order store answered nonsense");
      case "exit" -> {
        LOG.info("Asked to stop, leaving without a flush");
        Runtime.getRuntime().halt(command.path("code").asInt());
      }
      default -> LOG.error("No such command: {}", command);
    }
  }
}
