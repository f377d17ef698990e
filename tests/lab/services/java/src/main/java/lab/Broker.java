package lab;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.impl.AMQConnection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds one AMQP connection, on the next address when one ends. */
final class Broker {
  private static final Logger LOG = LoggerFactory.getLogger("shop.amqp.Link");

  static void hold() {
    String[] addresses = Journal.env("AMQP_ADDRESSES", "").split(",");
    for (int at = 0; !addresses[0].isEmpty(); at++) {
      try {
        use(addresses[at % addresses.length]);
        Thread.sleep(1000);
      } catch (InterruptedException error) {
        return;
      }
    }
  }

  private static void use(String address) throws InterruptedException {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setHost(address.substring(0, address.lastIndexOf(':')));
    factory.setPort(Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));
    factory.setUsername(Journal.env("AMQP_USER", "app"));
    factory.setPassword(Journal.env("AMQP_PASSWORD", ""));
    factory.setVirtualHost(Journal.env("AMQP_VHOST", "shop"));
    factory.setRequestedHeartbeat(10);
    factory.setAutomaticRecoveryEnabled(false);
    String name = Journal.env("AMQP_CLIENT_NAME", "");
    try (Connection connection = name.isEmpty() ? factory.newConnection() : factory.newConnection(name)) {
      AMQConnection plain = (AMQConnection) connection;
      Map<String, Object> facts = new HashMap<>();
      facts.put("local", plain.getLocalAddress().getHostAddress() + ":" + plain.getLocalPort());
      facts.put("peer", plain.getAddress().getHostAddress() + ":" + plain.getPort());
      facts.put("client_name", name);
      facts.put("vhost", factory.getVirtualHost());
      Journal.ONE.write("connected", facts);
      CountDownLatch ended = new CountDownLatch(1);
      connection.addShutdownListener(cause -> ended.countDown());
      consume(connection);
      ended.await();
      Journal.ONE.write("disconnected", facts);
      LOG.warn("Connection to {} ended", address);
    } catch (java.io.IOException | java.util.concurrent.TimeoutException error) {
      LOG.warn("No connection to {}: {}", address, error.toString());
    }
  }

  private static void consume(Connection connection) throws java.io.IOException {
    String queue = Journal.env("AMQP_CONSUMES", "");
    if (!queue.isEmpty()) {
      Channel channel = connection.createChannel();
      channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
      channel.basicConsume(queue, true, (tag, delivery) -> {}, tag -> {});
    }
  }
}
