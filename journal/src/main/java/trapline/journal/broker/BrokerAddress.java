package trapline.journal.broker;

import java.util.Optional;
import java.util.Properties;

/// Where a broker answers.
///
/// @param cluster whose broker must answer there, else the address is an old one
/// @param process its number, for messages
record BrokerAddress(String host, int port, String cluster, long process) {

    String hostAndPort() {
        return host + ":" + port;
    }

    String text() {
        return """
        # Where the broker of this log answers, or last answered.
        address=%s
        cluster=%s
        process=%d
        """
                .formatted(hostAndPort(), cluster, process);
    }

    static Optional<BrokerAddress> parse(Properties properties) {
        String address = properties.getProperty("address", "");
        int colon = address.lastIndexOf(':');
        try {
            return Optional.of(
                    new BrokerAddress(
                            address.substring(0, colon),
                            Integer.parseInt(address.substring(colon + 1)),
                            properties.getProperty("cluster", ""),
                            Long.parseLong(properties.getProperty("process", "0"))));
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }
}
