// SPDX-License-Identifier: GPL-3.0-or-later
// Decrypts CMS messages with Bouncy Castle: DecryptCms [CMS-FILE KEY-PEM OUT-FILE]...
// One line for each: "ok", or "no" and why.
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.KeyTransRecipientInformation;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class DecryptCms {
    static PrivateKey readKey(String file) throws Exception {
        String pem = new String(Files.readAllBytes(Paths.get(file)), "US-ASCII");
        byte[] der = Base64.getDecoder().decode(pem.replaceAll("-----[^-]*-----|\\s", ""));
        for (String kind : new String[] {"RSA", "EC", "X25519"}) {
            try {
                return KeyFactory.getInstance(kind, "BC").generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (InvalidKeySpecException another) {
                continue;
            }
        }
        throw new IllegalArgumentException(file);
    }

    static RecipientInformationStore recipientsOf(byte[] cms) throws CMSException {
        try {
            return new CMSEnvelopedData(cms).getRecipientInfos();
        } catch (CMSException another) {
            return new CMSAuthEnvelopedData(cms).getRecipientInfos();
        }
    }

    // The key opens one of them: the messages of the tests have few recipients.
    static byte[] decrypt(byte[] cms, PrivateKey key) throws Exception {
        Exception why = new CMSException("no recipients");
        for (RecipientInformation one : recipientsOf(cms).getRecipients()) {
            try {
                Recipient with = one instanceof KeyTransRecipientInformation
                        ? new JceKeyTransEnvelopedRecipient(key).setProvider("BC")
                        : new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC");
                return one.getContent(with);
            } catch (Exception failure) {
                why = failure;
            }
        }
        throw why;
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        for (int i = 0; i + 2 < args.length; i += 3) {
            try {
                byte[] cms = Files.readAllBytes(Paths.get(args[i]));
                Files.write(Paths.get(args[i + 2]), decrypt(cms, readKey(args[i + 1])));
                System.out.println("ok");
            } catch (Exception failure) {
                System.out.println("no " + failure + " / " + failure.getCause());
            }
        }
    }
}
