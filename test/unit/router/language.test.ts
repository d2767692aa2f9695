import { describe, expect, it } from 'vitest';
import { languageOf } from '../../../src/main/router/language';

/** Written after the thresholds were set, and not used to set them. */
const ENGLISH = [
  // one or two words, slang, typos
  'hey',
  'heyyy',
  'good evening',
  'thnks',
  'cheers mate',
  'nope',
  'yep',
  'cool beans',
  'wassup',
  'hii',
  'hlep',
  'idk',
  'ty so much',
  'gud mornin',
  'see ya later',
  'waht cna yuo do?',
  'tel me smthing funny',
  'hw r u 2day',
  'hello is anybody there',
  'pls halp me wit homwork',
  'cud u explane gravty',
  // names and places
  'Emmanuel Macron',
  'Lionel Messi',
  'Rio de Janeiro',
  'Recep Tayyip Erdoğan',
  'Ludwig van Beethoven',
  'Nguyễn Văn Linh',
  'San Sebastián beaches',
  'Düsseldorf airport',
  'Antonín Dvořák symphonies',
  'Juventus vs Bayern Munich score',
  'population of Kraków',
  'train from Genève to Zürich',
  'García Márquez novels',
  // loan words and quoted foreign words
  'crème de la crème',
  'deja vu',
  'Schadenfreude',
  'a croissant or a baguette?',
  'doppelgänger meaning',
  'what is "guten Appetit"',
  'how do Germans say thank you',
  'sushi, ramen or udon',
  'carpe diem',
  'resumé tips',
  'café near me',
  'spaghetti carbonara recipe',
  // code, commands, identifiers
  'print("hola mundo")',
  'SELECT nombre FROM usuarios;',
  'cd /usr/local/bin',
  'git commit -m "fix"',
  'console.log(foo.bar)',
  'pip install torch torchvision',
  'sudo systemctl restart nginx',
  'if (x == null) return;',
  'ReferenceError: foo is not defined',
  'public static void main(String[] args)',
  'brew upgrade ollama',
  'a = [i * i for i in range(9)]',
  'lambda x: x ** 2',
  'rm -rf node_modules',
  'https://example.org/a/b?c=d',
  'tandem-smollm2-135m',
  // plain sentences
  'Name five colors',
  'Rhyme with orange',
  'Is Pluto a planet?',
  'Shorten it',
  'Another one',
  'Say something nice',
  'Capital of Peru',
  'Count to ten',
  'Add two numbers',
  'Do penguins fly?',
  'Suggest a hobby',
  'Turn it into a list',
  'Sort a list in Python',
  'Correct: she dont like apples',
  'Can dogs eat grapes',
  'a short bedtime story',
  'opposite of generous',
  'pros and cons of remote work',
  'pasta sauce without tomatoes',
  'Reply in one sentence.',
];

const OTHERS: Record<string, readonly string[]> = {
  de: [
    'Guten Tag, ich habe eine Frage',
    'Wie spät ist es gerade?',
    'Nenne mir drei Farben',
    'Warum ist der Himmel blau?',
    'Übersetze das bitte ins Englische',
    'Erzähl mir einen Witz',
  ],
  fr: [
    'Bonjour, j’ai une question',
    'Pourquoi le ciel est bleu ?',
    'Donne-moi trois couleurs',
    'Écris une lettre à mon propriétaire',
    'Quel temps fait-il demain à Lyon ?',
    'Corrige cette phrase s’il te plaît',
  ],
  es: [
    'Buenos días, tengo una pregunta',
    '¿Por qué el cielo es azul?',
    'Dime tres colores',
    'Escribe una carta a mi casero',
    '¿Qué tiempo hace mañana en Madrid?',
    'Corrige esta frase por favor',
  ],
  it: [
    'Buongiorno, ho una domanda',
    'Perché il cielo è blu?',
    'Dimmi tre colori',
    'Che tempo fa domani a Roma?',
    'Correggi questa frase per favore',
  ],
  pt: [
    'Bom dia, tenho uma pergunta',
    'Por que o céu é azul?',
    'Diga três cores',
    'Escreva uma carta para o meu senhorio',
    'Corrija esta frase por favor',
  ],
  pl: [
    'Dzień dobry, mam pytanie',
    'Dlaczego niebo jest niebieskie?',
    'Wymień trzy kolory',
    'Jaka będzie jutro pogoda w Gdańsku?',
    'Popraw to zdanie proszę',
  ],
  tr: [
    'İyi günler, bir sorum var',
    'Gökyüzü neden mavi?',
    'Üç renk söyle',
    'Yarın İzmir’de hava nasıl olacak?',
    'Bu cümleyi düzelt lütfen',
  ],
  vi: [
    'Chào buổi sáng, tôi có một câu hỏi',
    'Tại sao bầu trời màu xanh?',
    'Kể tên ba màu',
    'Hôm nay là thứ mấy?',
  ],
  nl: ['Goedemorgen, ik heb een vraag', 'Waarom is de lucht blauw?', 'Noem drie kleuren'],
  cs: ['Dobrý den, mám otázku', 'Proč je nebe modré?'],
  sv: ['God morgon, jag har en fråga', 'Varför är himlen blå?'],
};

describe('languageOf', () => {
  it.each<[string, string | null]>([
    ['Привет, как дела?', 'ru'],
    ['Напиши функцию merge_sorted_lists на Python', 'ru'],
    ['Який сьогодні день?', 'uk'],
    ['今日はいい天気ですね', 'ja'],
    ['你好，你是谁？', 'zh'],
    ['안녕하세요', 'ko'],
    ['مرحبا كيف حالك', 'ar'],
    ['Γειά σου, τι κάνεις;', 'el'],
    ['What does the Russian word привет mean?', 'en'],
    ['42', null],
    ['👋', null],
    ['', null],
  ])('detects the script: %s is %s', (text, language) => {
    expect(languageOf(text)).toBe(language);
  });

  it('recognises English, and nearly always names, code, slang and single words', () => {
    expect(ENGLISH.length).toBeGreaterThanOrEqual(60);
    const refused = ENGLISH.filter((text) => !['en', null].includes(languageOf(text)));
    expect(refused).toEqual(['ty so much']);
  });

  it('recognises most short messages in other languages, and treats the rest as English', () => {
    const texts = Object.values(OTHERS).flat();
    expect(texts.length).toBeGreaterThanOrEqual(40);
    expect(texts.filter((text) => languageOf(text) === 'en')).toEqual([
      'Dimmi tre colori',
      'Gökyüzü neden mavi?',
      'Noem drie kleuren',
      'Proč je nebe modré?',
    ]);
  });

  it.each([
    ['Was ist im Jahr 1989 passiert?', 'de'],
    ['Ich will wissen, wie man Brot backt', 'de'],
    ['Come si fa il pane in casa?', 'it'],
  ])('is not misled by words that also exist in English: %s', (text, language) => {
    expect(languageOf(text)).toBe(language);
  });

  it('reads only the beginning of a long text', () => {
    expect(languageOf(`${'Wie spät ist es gerade in Berlin? '.repeat(20)}${'the '.repeat(1_000_000)}`)).toBe(
      'de',
    );
  });
});
