package trapline.dashboard.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.Optional;

/// An answer of the server's as its bytes say, to a request that is written out: no HTTP client would send all
/// of ours.
record Asked(int status, List<String> headers, String body) {

    /// @param lines the request, its line first; Host and Connection are added where none is
    static Asked of(int port, String... lines) {
        return raw(port, text(port, "", lines));
    }

    static Asked withBody(int port, String body, String... lines) {
        return raw(port, text(port, body, lines));
    }

    private static String text(int port, String body, String... lines) {
        StringBuilder text = new StringBuilder(String.join("\r\n", lines)).append("\r\n");
        if (!text.toString().contains("\r\nHost:")) {
            text.append("Host: 127.0.0.1:").append(port).append("\r\n");
        }
        if (!body.isEmpty()) {
            text.append("Content-Length: ").append(body.getBytes(UTF_8).length).append("\r\n");
        }
        return text.append("Connection: close\r\n\r\n").append(body).toString();
    }

    static Asked raw(int port, String request) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return on(socket, request);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Asked on(Socket socket, String request) throws IOException {
        socket.setSoTimeout(30_000);
        socket.getOutputStream().write(request.getBytes(UTF_8));
        socket.getOutputStream().flush();
        String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
        int end = answer.indexOf("\r\n\r\n");
        List<String> head = answer.substring(0, end).lines().toList();
        return new Asked(
                Integer.parseInt(head.getFirst().split(" ")[1]),
                head.subList(1, head.size()),
                answer.substring(end + 4));
    }

    Optional<String> header(String name) {
        return headers.stream()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst();
    }
}
