// SPDX-License-Identifier: GPL-3.0-or-later
// Makes CMS messages with Bouncy Castle: MakeCms LIST. Each line of LIST, its words parted by tabs:
//
//   sign IN OUT detached|opaque SEGMENT-BYTES issuer|ski SIGNER;SIGNER...  [CERTIFICATE;...]
//        a SIGNER is ALGORITHM,CERTIFICATE,KEY, and "direct" behind it for no signed attributes
//   encrypt IN OUT CIPHER SEGMENT-BYTES RECIPIENT;RECIPIENT...
//        a RECIPIENT is pkcs1,CERTIFICATE or oaep,CERTIFICATE,HASH,MGF-HASH,LABEL or
//        ecdh,CERTIFICATE,SCHEME,WRAP
//
// SEGMENT-BYTES 0: definite lengths. One line of output for each: "ok", or "no" and why.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedDataStreamGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.CMSSignedDataStreamGenerator;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

public class MakeCms {
    static class Cipher {
        final ASN1ObjectIdentifier oid;
        final int keyBits;
        final boolean authenticated;

        Cipher(ASN1ObjectIdentifier oid, int keyBits, boolean authenticated) {
            this.oid = oid;
            this.keyBits = keyBits;
            this.authenticated = authenticated;
        }
    }

    static final Map<String, Cipher> CIPHERS = Map.of(
            "aes-128-cbc", new Cipher(CMSAlgorithm.AES128_CBC, 0, false),
            "aes-192-cbc", new Cipher(CMSAlgorithm.AES192_CBC, 0, false),
            "aes-256-cbc", new Cipher(CMSAlgorithm.AES256_CBC, 0, false),
            "aes-128-gcm", new Cipher(CMSAlgorithm.AES128_GCM, 0, true),
            "aes-192-gcm", new Cipher(CMSAlgorithm.AES192_GCM, 0, true),
            "aes-256-gcm", new Cipher(CMSAlgorithm.AES256_GCM, 0, true),
            "3des-cbc", new Cipher(CMSAlgorithm.DES_EDE3_CBC, 0, false),
            "rc2-40-cbc", new Cipher(CMSAlgorithm.RC2_CBC, 40, false),
            "rc2-64-cbc", new Cipher(CMSAlgorithm.RC2_CBC, 64, false),
            "rc2-128-cbc", new Cipher(CMSAlgorithm.RC2_CBC, 128, false));
    static final Map<String, ASN1ObjectIdentifier> SCHEMES = Map.of(
            "sha1kdf", CMSAlgorithm.ECDH_SHA1KDF, "sha224kdf", CMSAlgorithm.ECDH_SHA224KDF,
            "sha256kdf", CMSAlgorithm.ECDH_SHA256KDF, "sha384kdf", CMSAlgorithm.ECDH_SHA384KDF,
            "sha512kdf", CMSAlgorithm.ECDH_SHA512KDF,
            "cofactor-sha1kdf", CMSAlgorithm.ECCDH_SHA1KDF,
            "cofactor-sha256kdf", CMSAlgorithm.ECCDH_SHA256KDF);
    static final Map<String, ASN1ObjectIdentifier> WRAPS = Map.of(
            "aes128", CMSAlgorithm.AES128_WRAP, "aes192", CMSAlgorithm.AES192_WRAP,
            "aes256", CMSAlgorithm.AES256_WRAP);

    static X509Certificate readCertificate(String file) throws Exception {
        byte[] pem = Files.readAllBytes(Paths.get(file));
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC")
                .generateCertificate(new ByteArrayInputStream(pem));
    }

    static PrivateKey readKey(String file) throws Exception {
        String pem = new String(Files.readAllBytes(Paths.get(file)), "US-ASCII");
        byte[] der = Base64.getDecoder().decode(pem.replaceAll("-----[^-]*-----|\\s", ""));
        for (String kind : new String[] {"RSA", "EC", "Ed25519"}) {
            try {
                return KeyFactory.getInstance(kind, "BC").generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (InvalidKeySpecException another) {
                continue;
            }
        }
        throw new IllegalArgumentException(file);
    }

    static SignerInfoGenerator signer(String text, boolean byKeyIdentifier) throws Exception {
        String[] words = text.split(",");
        JcaX509CertificateHolder holder = new JcaX509CertificateHolder(readCertificate(words[1]));
        ContentSigner signer = new JcaContentSignerBuilder(words[0]).setProvider("BC").build(readKey(words[2]));
        JcaSignerInfoGeneratorBuilder builder = new JcaSignerInfoGeneratorBuilder(
                new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
        builder.setDirectSignature(words.length > 3 && words[3].equals("direct"));
        if (!byKeyIdentifier) return builder.build(signer, holder);
        byte[] extension = holder.getExtension(new ASN1ObjectIdentifier("2.5.29.14"))
                .getParsedValue().toASN1Primitive().getEncoded();
        byte[] identifier = new byte[extension.length - 2];
        System.arraycopy(extension, 2, identifier, 0, identifier.length);
        return builder.build(signer, identifier);
    }

    static void sign(String[] words) throws Exception {
        byte[] content = Files.readAllBytes(Paths.get(words[1]));
        Path out = Paths.get(words[2]);
        boolean opaque = words[3].equals("opaque");
        int segment = Integer.parseInt(words[4]);
        List<X509Certificate> certificates = new ArrayList<>();
        List<SignerInfoGenerator> signers = new ArrayList<>();
        for (String text : words[6].split(";")) {
            signers.add(signer(text, words[5].equals("ski")));
            certificates.add(readCertificate(text.split(",")[1]));
        }
        if (words.length > 7)
            for (String file : words[7].split(";")) certificates.add(readCertificate(file));
        if (segment == 0) {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            for (SignerInfoGenerator one : signers) generator.addSignerInfoGenerator(one);
            generator.addCertificates(new JcaCertStore(certificates));
            Files.write(out, generator.generate(new CMSProcessableByteArray(content), opaque)
                                     .toASN1Structure().getEncoded("DER"));
            return;
        }
        CMSSignedDataStreamGenerator generator = new CMSSignedDataStreamGenerator();
        generator.setBufferSize(segment);
        for (SignerInfoGenerator one : signers) generator.addSignerInfoGenerator(one);
        generator.addCertificates(new JcaCertStore(certificates));
        ByteArrayOutputStream made = new ByteArrayOutputStream();
        try (OutputStream to = generator.open(made, opaque)) {
            to.write(content);
        }
        Files.write(out, made.toByteArray());
    }

    static RecipientInfoGenerator recipient(String text) throws Exception {
        String[] words = text.split(",", -1);
        X509Certificate certificate = readCertificate(words[1]);
        if (words[0].equals("pkcs1"))
            return new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC");
        if (words[0].equals("oaep")) {
            PSource label = words[4].isEmpty() ? PSource.PSpecified.DEFAULT
                                               : new PSource.PSpecified(words[4].getBytes("US-ASCII"));
            OAEPParameterSpec oaep = new OAEPParameterSpec(words[2], "MGF1", new MGF1ParameterSpec(words[3]), label);
            return new JceKeyTransRecipientInfoGenerator(certificate,
                    new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(
                            PKCSObjectIdentifiers.id_RSAES_OAEP, oaep)).setProvider("BC");
        }
        KeyPairGenerator pairs = KeyPairGenerator.getInstance("EC", "BC");
        pairs.initialize(((ECPublicKey) certificate.getPublicKey()).getParams());
        KeyPair own = pairs.generateKeyPair();
        return new JceKeyAgreeRecipientInfoGenerator(SCHEMES.get(words[2]), own.getPrivate(),
                own.getPublic(), WRAPS.get(words[3])).setProvider("BC").addRecipient(certificate);
    }

    static void encrypt(String[] words) throws Exception {
        byte[] content = Files.readAllBytes(Paths.get(words[1]));
        Cipher cipher = CIPHERS.get(words[3]);
        int segment = Integer.parseInt(words[4]);
        JceCMSContentEncryptorBuilder builder = cipher.keyBits == 0
                ? new JceCMSContentEncryptorBuilder(cipher.oid)
                : new JceCMSContentEncryptorBuilder(cipher.oid, cipher.keyBits);
        OutputEncryptor encryptor = builder.setProvider("BC").build();
        ByteArrayOutputStream made = new ByteArrayOutputStream();
        String[] recipients = words[5].split(";");
        if (cipher.authenticated) {  // it does not stream these, but writes them as BER, too
            CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
            for (String one : recipients) generator.addRecipientInfoGenerator(recipient(one));
            made.write(generator.generate(new CMSProcessableByteArray(content), (OutputAEADEncryptor) encryptor)
                               .toASN1Structure().getEncoded(segment == 0 ? "DER" : "BER"));
        } else if (segment == 0) {
            CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
            for (String one : recipients) generator.addRecipientInfoGenerator(recipient(one));
            made.write(generator.generate(new CMSProcessableByteArray(content), encryptor)
                               .toASN1Structure().getEncoded("DER"));
        } else {
            CMSEnvelopedDataStreamGenerator generator = new CMSEnvelopedDataStreamGenerator();
            generator.setBufferSize(segment);
            generator.setBEREncodeRecipients(true);
            for (String one : recipients) generator.addRecipientInfoGenerator(recipient(one));
            try (OutputStream to = generator.open(made, encryptor)) {
                to.write(content);
            }
        }
        Files.write(Paths.get(words[2]), made.toByteArray());
    }

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            try {
                String[] words = line.split("\t");
                if (words[0].equals("sign"))
                    sign(words);
                else
                    encrypt(words);
                System.out.println("ok");
            } catch (Exception failure) {
                System.out.println("no " + failure + " / " + failure.getCause());
            }
        }
    }
}
