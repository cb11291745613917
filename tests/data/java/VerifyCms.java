// SPDX-License-Identifier: GPL-3.0-or-later
// Verifies signed CMS messages with Bouncy Castle:
// VerifyCms ROOT-PEM [CMS-FILE CONTENT-FILE-OR-"-" OUT-FILE]...
// One line for each: "ok", or "no" and why. What was signed is written to OUT-FILE.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.util.Store;

public class VerifyCms {
    static X509Certificate certificate(InputStream from) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(from);
    }

    static List<X509Certificate> certificates(Collection<X509CertificateHolder> holders) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        for (X509CertificateHolder holder : holders)
            found.add(certificate(new ByteArrayInputStream(holder.getEncoded())));
        return found;
    }

    // By names and signatures, over those that the message carries: enough for the tests' chains.
    static void checkLeadsTo(X509Certificate root, X509Certificate leaf, List<X509Certificate> others)
            throws Exception {
        X509Certificate at = leaf;
        for (int i = 0; i < 5; ++i) {
            if (at.getIssuerX500Principal().equals(root.getSubjectX500Principal())) {
                at.verify(root.getPublicKey(), "BC");
                return;
            }
            X509Certificate above = null;
            for (X509Certificate other : others)
                if (other.getSubjectX500Principal().equals(at.getIssuerX500Principal())) above = other;
            if (above == null) break;
            at.verify(above.getPublicKey(), "BC");
            at = above;
        }
        throw new CMSException("no path to the root");
    }

    @SuppressWarnings("unchecked")
    static byte[] verify(byte[] cms, byte[] content, X509Certificate root) throws Exception {
        CMSSignedData signed = content == null ? new CMSSignedData(cms)
                : new CMSSignedData(new CMSProcessableByteArray(content), cms);
        Store<X509CertificateHolder> store = signed.getCertificates();
        List<X509Certificate> all = certificates(store.getMatches(null));
        Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
        if (signers.isEmpty()) throw new CMSException("no signer");
        for (SignerInformation signer : signers) {
            for (X509CertificateHolder holder : (Collection<X509CertificateHolder>) store.getMatches(signer.getSID())) {
                if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder)))
                    throw new CMSException("bad signature");
                checkLeadsTo(root, certificate(new ByteArrayInputStream(holder.getEncoded())), all);
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        signed.getSignedContent().write(out);
        return out.toByteArray();
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        X509Certificate root = certificate(new FileInputStream(args[0]));
        for (int i = 1; i + 2 < args.length; i += 3) {
            try {
                byte[] content = args[i + 1].equals("-") ? null : Files.readAllBytes(Paths.get(args[i + 1]));
                byte[] cms = Files.readAllBytes(Paths.get(args[i]));
                Files.write(Paths.get(args[i + 2]), verify(cms, content, root));
                System.out.println("ok");
            } catch (Exception failure) {
                System.out.println("no " + failure + " / " + failure.getCause());
            }
        }
    }
}
