import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Reads outcomes. Needs kafka-clients and jackson-databind; Java 17.
 *
 * <p>java -cp 'lib/*' ReadOutcomes.java [BOOTSTRAP [TOPIC [GROUP [COUNT]]]]; it ends after COUNT outcomes, if given.
 */
public class ReadOutcomes {
    public static void main(String[] args) throws Exception {
        String bootstrap = args.length > 0 ? args[0] : "localhost:9092";
        String topic = args.length > 1 ? args[1] : "invoice.outcomes";
        String group = args.length > 2 ? args[2] : "billing";
        int count = args.length > 3 ? Integer.parseInt(args[3]) : 0;

        Properties settings = new Properties();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"); // the default shows aborted outcomes
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class);
        settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);

        ObjectMapper json = new ObjectMapper();
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(settings)) {
            consumer.subscribe(List.of(topic));
            for (int seen = 0; count == 0 || seen < count; ) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    handle(record, json.readTree(record.value()));
                    seen++;
                }
                consumer.commitSync(); // once they are handled
            }
        }
    }

    private static void handle(ConsumerRecord<String, byte[]> record, JsonNode outcome) {
        if (outcome.path("version").asInt() != 1) {
            throw new IllegalStateException("an outcome of an unknown version: " + outcome.path("version"));
        }
        // The same for the same input record: what was handled before a crash and is read again can be dropped.
        byte[] id = record.headers().lastHeader("ce_id").value();
        String detail = outcome.path("reason").asText(outcome.path("invoiceId").asText("-"));
        System.out.println(String.join(" ",
                new String(id, StandardCharsets.UTF_8), record.key(), outcome.path("outcome").asText(), detail));
    }
}
