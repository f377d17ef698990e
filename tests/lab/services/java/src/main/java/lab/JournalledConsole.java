package lab;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.encoder.Encoder;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Logback's console appender with one addition: the journal knows each entry before the console does. */
public final class JournalledConsole extends AppenderBase<ILoggingEvent> {
  private final FileOutputStream console = new FileOutputStream(FileDescriptor.out);
  private Encoder<ILoggingEvent> encoder;

  public void setEncoder(Encoder<ILoggingEvent> encoder) {
    this.encoder = encoder;
  }

  @Override
  protected void append(ILoggingEvent event) {
    byte[] text = encoder.encode(event);
    String shown = new String(text, StandardCharsets.UTF_8);
    Journal.ONE.write("entry", Map.of("sequence", event.getSequenceNumber(), "level", event.getLevel().toString(),
        "logger", event.getLoggerName(), "text", shown.substring(0, shown.length() - 1), "console", true, "stream", "stdout"));
    try {
      console.write(text);
    } catch (IOException error) {
      addError("console", error);
    }
  }
}
