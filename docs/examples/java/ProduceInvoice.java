import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes one invoice event, a CloudEvent in binary mode. Needs kafka-clients and jackson-databind; Java 17.
 *
 * <p>java -cp 'lib/*' ProduceInvoice.java INVOICE_NO [BOOTSTRAP [TOPIC]]
 */
public class ProduceInvoice {
    public static void main(String[] args) throws Exception {
        String invoiceNo = args[0];
        String bootstrap = args.length > 1 ? args[1] : "localhost:9092";
        String topic = args.length > 2 ? args[2] : "invoice.requests";

        Map<String, Object> invoice = new LinkedHashMap<>();
        invoice.put("claimType", "Invoice");
        invoice.put("creditorId", 10759);
        invoice.put("invoiceNo", invoiceNo);
        invoice.put("debtorName", "John Doe");
        invoice.put("invoiceDate", "2025-04-01");
        invoice.put("dueDate", "2026-01-01");
        invoice.put("originalAmount", new java.math.BigDecimal("2500.10")); // never a double
        invoice.put("currencyCode", "NOK");
        byte[] value = new ObjectMapper().writeValueAsBytes(Map.of("invoice", invoice));

        Properties settings = new Properties();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class);
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        // No partitioner is set: with a key the default is murmur2, which is what the worker expects.

        String key = identity(10759, "Invoice", invoiceNo, null);
        ProducerRecord<String, byte[]> event = new ProducerRecord<>(topic, key, value);
        header(event, "ce_specversion", "1.0");
        header(event, "ce_id", UUID.randomUUID().toString());
        header(event, "ce_source", "/erp/oslo");
        header(event, "ce_type", "kravia.invoice.requested.v1");
        header(event, "content-type", "application/json");

        try (KafkaProducer<String, byte[]> producer = new KafkaProducer<>(settings)) {
            RecordMetadata written = producer.send(event).get(); // throws where it could not be written
            System.out.println("written to " + written.topic() + "/" + written.partition() + "/" + written.offset());
        }
    }

    /** The invoice's identity, which is the record's key. accountingInvoiceId: of a credit note; else null. */
    static String identity(long creditorId, String claimType, String invoiceNo, String accountingInvoiceId) {
        String base = creditorId + "/" + claimType + "/" + quoted(invoiceNo);
        boolean named = claimType.equals("CreditNote") && accountingInvoiceId != null;
        return named ? base + "/" + quoted(accountingInvoiceId) : base;
    }

    /** NFC, then percent-encoding of all but RFC 3986's unreserved characters. URLEncoder is for forms: put right. */
    static String quoted(String text) {
        return URLEncoder.encode(Normalizer.normalize(text, Normalizer.Form.NFC), StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A")
                .replace("%7E", "~");
    }

    private static void header(ProducerRecord<?, ?> event, String name, String text) {
        event.headers().add(name, text.getBytes(StandardCharsets.UTF_8));
    }
}
