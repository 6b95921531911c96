package trapline.dashboard.web;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import trapline.engine.text.InputException;
import trapline.engine.text.InputException.Kind;

/// A private key and the certificates that vouch for it.
public final class Tls {

    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ([A-Z ]*)PRIVATE KEY-----([^-]*)-----END");
    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

    private final KeyStore store;

    private Tls(KeyStore store) {
        this.store = store;
    }

    /// Reads both as PEM.
    ///
    /// @param keyPlace where the key is from, for messages; likewise the other
    public static Tls ofPem(String key, String keyPlace, String certificates, String place) {
        PrivateKey secret = key(key, keyPlace);
        Certificate[] chain = chain(certificates, place);
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("trapline", secret, new char[0], chain);
            return new Tls(store);
        } catch (GeneralSecurityException | java.io.IOException e) {
            throw unreadable(place, "no certificate of this key: " + e.getMessage());
        }
    }

    private static PrivateKey key(String pem, String place) {
        Matcher found = KEY.matcher(pem);
        if (!found.find()) {
            throw unreadable(place, "expected a private key in PEM");
        }
        if (!found.group(1).isBlank()) {
            throw unreadable(
                    place,
                    "expected PKCS #8, found 'BEGIN %sPRIVATE KEY'; openssl pkcs8 -topk8 -nodes converts it"
                            .formatted(found.group(1)));
        }
        byte[] bytes;
        try {
            bytes = Base64.getMimeDecoder().decode(found.group(2));
        } catch (IllegalArgumentException e) {
            throw unreadable(place, "the private key is no Base64");
        }
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePrivate(new PKCS8EncodedKeySpec(bytes));
            } catch (InvalidKeySpecException e) {
                // Of another algorithm, perhaps.
            } catch (GeneralSecurityException e) {
                throw unreadable(place, e.getMessage());
            }
        }
        throw unreadable(place, "expected a private key of RSA, EC or Ed25519");
    }

    private static Certificate[] chain(String pem, String place) {
        try {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(
                                    new ByteArrayInputStream(
                                            pem.getBytes(StandardCharsets.US_ASCII)));
            if (found.isEmpty()) {
                throw unreadable(place, "expected certificates in PEM");
            }
            return found.toArray(Certificate[]::new);
        } catch (CertificateException e) {
            throw unreadable(place, "expected certificates in PEM: " + e.getMessage());
        }
    }

    private static InputException unreadable(String place, String message) {
        return new InputException(Kind.UNREADABLE, place, message);
    }

    SslContextFactory.Server factory() {
        SslContextFactory.Server factory = new SslContextFactory.Server();
        factory.setKeyStore(store);
        factory.setKeyStorePassword("");
        factory.setSniRequired(false);
        return factory;
    }
}
