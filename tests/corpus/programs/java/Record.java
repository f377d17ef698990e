import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import co.elastic.logging.log4j2.EcsLayout;
import co.elastic.logging.logback.EcsEncoder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import net.logstash.logback.encoder.LogstashEncoder;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Layout;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.core.layout.PatternLayout;
import org.apache.logging.log4j.message.ParameterizedMessage;

/** Logs the shared events through logback and log4j2 to a console and as the documents that would be shipped. */
public final class Record {
    static final ObjectMapper JSON = new ObjectMapper();

    static Exception settle(String kind) {
        if (kind.equals("plain")) {
            return new IllegalArgumentException("bad amount: 'N/A'");
        }
        try {
            Integer.parseInt("ledger");
        } catch (NumberFormatException error) {
            Exception outer = new IllegalStateException("settlement failed", error);
            outer.addSuppressed(new java.io.IOException("close failed"));
            return outer;
        }
        throw new AssertionError();
    }

    static Object[] values(JsonNode event) {
        List<Object> values = new ArrayList<>();
        event.get("properties").forEach(value -> values.add(JSON.convertValue(value, Object.class)));
        if (event.has("exception")) {
            values.add(settle(event.get("exception").asText()));
        }
        return values.toArray();
    }

    static String template(JsonNode event) {
        return event.get("template").asText().replaceAll("\\{\\w+\\}", "{}");
    }

    static BiFunction<JsonNode, ByteArrayOutputStream[], Void> logback(Encoder<ILoggingEvent> console, Encoder<ILoggingEvent> shipped) {
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(new ch.qos.logback.classic.util.LogbackMDCAdapter());
        context.start();
        List<Encoder<ILoggingEvent>> encoders = List.of(console, shipped);
        List<OutputStreamAppender<ILoggingEvent>> appenders = new ArrayList<>();
        for (Encoder<ILoggingEvent> encoder : encoders) {
            encoder.setContext(context);
            encoder.start();
            OutputStreamAppender<ILoggingEvent> appender = new OutputStreamAppender<>();
            appender.setContext(context);
            appender.setEncoder(encoder);
            appenders.add(appender);
        }
        return (event, streams) -> {
            for (int n = 0; n < 2; n++) {
                appenders.get(n).setOutputStream(streams[n]);
                appenders.get(n).start();
            }
            ch.qos.logback.classic.Logger logger = context.getLogger("com.example." + event.get("logger").asText() + ".Service");
            logger.setLevel(ch.qos.logback.classic.Level.DEBUG);
            appenders.forEach(logger::addAppender);
            String message = template(event);
            Object[] values = values(event);
            switch (event.get("level").asText()) {
                case "debug" -> logger.debug(message, values);
                case "warn" -> logger.warn(message, values);
                case "error" -> logger.error(message, values);
                default -> logger.info(message, values);
            }
            appenders.forEach(logger::detachAppender);
            return null;
        };
    }

    static BiFunction<JsonNode, ByteArrayOutputStream[], Void> log4j(Layout<?> console, Layout<?> shipped) {
        return (event, streams) -> {
            ParameterizedMessage message = new ParameterizedMessage(template(event), values(event));
            Log4jLogEvent record = Log4jLogEvent.newBuilder()
                .setLoggerName("com.example." + event.get("logger").asText() + ".Service")
                .setLevel(Level.toLevel(event.get("level").asText())).setMessage(message).setThrown(message.getThrowable())
                .setThreadName(Thread.currentThread().getName()).setTimeMillis(System.currentTimeMillis()).build();
            streams[0].writeBytes(console.toByteArray(record));
            streams[1].writeBytes(shipped.toByteArray(record));
            return null;
        };
    }

    static Encoder<ILoggingEvent> pattern(String pattern) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setPattern(pattern);
        encoder.setCharset(StandardCharsets.UTF_8);
        return encoder;
    }

    static Encoder<ILoggingEvent> ecs() {
        EcsEncoder encoder = new EcsEncoder();
        encoder.setServiceName("shop");
        return encoder;
    }

    static Layout<?> ecsLayout() {
        return EcsLayout.newBuilder().setConfiguration(new org.apache.logging.log4j.core.config.DefaultConfiguration()).setServiceName("shop").build();
    }

    static Layout<?> log4jPattern(String pattern) {
        return PatternLayout.newBuilder().withPattern(pattern).withCharset(StandardCharsets.UTF_8).build();
    }

    public static void main(String[] arguments) throws Exception {
        Thread.currentThread().setName("http-nio-8080-exec-3");
        JsonNode events = JSON.readTree(Path.of(arguments[0]).toFile());
        Map<String, BiFunction<JsonNode, ByteArrayOutputStream[], Void>> formats = new LinkedHashMap<>();
        formats.put("logback_default", logback(pattern("%d{HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n"), new LogstashEncoder()));
        formats.put("logback_dated", logback(pattern("%d{\"yyyy-MM-dd HH:mm:ss,SSS\"} %-5level [%thread] %logger{0}: %msg%n%ex"), ecs()));
        formats.put("logback_highlight", logback(pattern("%d{ISO8601} %highlight(%-5level) [%thread] %cyan(%logger{15}) %M - %msg%n"), new LogstashEncoder()));
        formats.put("logback_spring", logback(pattern("%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %5p 1 --- [shop] [%15.15t] %-40.40logger{39} : %m%n%ex"), ecs()));
        formats.put("logback_root_cause_first", logback(pattern("%date %level %logger{20} - %msg%n%rEx{full}"), new LogstashEncoder()));
        formats.put("logstash_json", logback(new LogstashEncoder(), new LogstashEncoder()));
        formats.put("ecs_json_java", logback(ecs(), ecs()));
        formats.put("log4j2_pattern", log4j(log4jPattern("%d{ISO8601} [%t] %-5p %c{1} - %m%n"), ecsLayout()));
        formats.put("log4j2_abbreviated", log4j(log4jPattern("%d{HH:mm:ss,SSS} %p %c{1.} [%t] %m%n%xEx"), ecsLayout()));
        formats.put("log4j2_zoned", log4j(log4jPattern("[%d{yyyy-MM-dd HH:mm:ss.SSS z}{America/Mexico_City}] [%level] [%t] - %m%n"), ecsLayout()));
        for (Map.Entry<String, BiFunction<JsonNode, ByteArrayOutputStream[], Void>> format : formats.entrySet()) {
            StringBuilder rows = new StringBuilder();
            for (JsonNode event : events) {
                ByteArrayOutputStream[] streams = {new ByteArrayOutputStream(), new ByteArrayOutputStream()};
                long time = System.currentTimeMillis() * 1_000_000L;
                format.getValue().apply(event, streams);
                Thread.sleep(4);
                ObjectNode row = JSON.createObjectNode().put("time", time).put("stream", "stdout");
                row.put("console", streams[0].toString(StandardCharsets.UTF_8).replaceFirst("\\n$", ""));
                row.set("document", JSON.readTree(streams[1].toString(StandardCharsets.UTF_8)));
                row.setAll((ObjectNode) event);
                rows.append(JSON.writeValueAsString(row)).append('\n');
            }
            StringWriter trace = new StringWriter();
            settle("chained").printStackTrace(new PrintWriter(trace));
            ObjectNode last = JSON.createObjectNode().put("time", System.currentTimeMillis() * 1_000_000L).put("stream", "stderr");
            last.put("console", "Exception in thread \"main\" " + trace.toString().strip()).putNull("document");
            rows.append(JSON.writeValueAsString(last)).append('\n');
            Path folder = Path.of(arguments[1], format.getKey());
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("events.jsonl"), rows);
        }
        Configurator.shutdown((org.apache.logging.log4j.core.LoggerContext) org.apache.logging.log4j.LogManager.getContext(false));
    }
}
