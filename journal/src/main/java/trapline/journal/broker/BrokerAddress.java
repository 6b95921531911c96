package trapline.journal.broker;

import java.util.Optional;
import java.util.Properties;

/// Where the broker of a folder answers.
///
/// @param running whether it does so already; the process that holds the folder writes this, first
///     of all when it begins to start
/// @param process its number, for messages
record BrokerAddress(String host, int port, boolean running, long process) {

    String hostAndPort() {
        return host + ":" + port;
    }

    String text() {
        return """
        # Where the broker of this log answers while it runs.
        address=%s
        running=%s
        process=%d
        """
                .formatted(hostAndPort(), running, process);
    }

    static Optional<BrokerAddress> parse(Properties properties) {
        String address = properties.getProperty("address", "");
        int colon = address.lastIndexOf(':');
        try {
            return Optional.of(
                    new BrokerAddress(
                            address.substring(0, colon),
                            Integer.parseInt(address.substring(colon + 1)),
                            Boolean.parseBoolean(properties.getProperty("running")),
                            Long.parseLong(properties.getProperty("process", "0"))));
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }
}
