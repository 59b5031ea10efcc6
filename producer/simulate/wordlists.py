"""The words, syllables and emoji of simulated posts; data only, used by `vocabulary`.

Words are in order of frequency. A language's later words are made of its syllables: an onset and a vowel
each. No onset ends in a vowel and no vowel contains a consonant, so different syllables always give different
words.
"""

ENGLISH = (
    "love dance music life video family happy friends beautiful funny girl school food cute morning summer "
    "night baby party home song crazy weekend sister brother birthday mother father game football coffee "
    "cooking travel beach winter makeup outfit challenge trend comedy prank singing guitar workout recipe "
    "pizza chocolate movie anime drawing puppy kitten rainbow sunset concert festival snow storm earthquake "
    "eclipse election hurricane wildfire airport tournament trailer premiere volcano blackout strike rocket "
    "meteor parade protest stadium superstar remix skateboard sneakers hairstyle garden camping fishing "
    "bicycle theatre ballet marathon lottery castle museum"
).split()
SPANISH = (
    "amor baile música vida familia feliz amigos hermosa gracioso escuela comida linda noche fiesta casa "
    "perro gato canción locura hermana hermano cumpleaños fútbol café cocina viaje playa invierno maquillaje "
    "película terremoto concierto tormenta eclipse huracán volcán apagón huelga desfile carnaval lluvia "
    "montaña guitarra helado"
).split()
PORTUGUESE = (
    "amizade dança alegria vida família feliz linda engraçado escola comida festa cachorro gatinho canção "
    "irmã irmão aniversário futebol cafezinho cozinha praia inverno maquiagem filme terremoto carnaval "
    "tempestade enchente greve apagão desfile chuva montanha violão sorvete novela gol torcida"
).split()
RUSSIAN = (
    "любовь танец музыка семья счастье друзья красота смешно школа вкусно праздник собака котик песня сестра "
    "брат мама футбол кофе кухня поездка море зима лето макияж фильм землетрясение концерт метель затмение "
    "выборы наводнение пожар парад забастовка гитара снегопад мороженое хоккей каток"
).split()
ARABIC = (
    "حب رقص موسيقى حياة عائلة سعادة أصدقاء جميل مضحك مدرسة طعام ليلة حفلة بيت قطة أغنية أخت أخي مطبخ قهوة "
    "سفر بحر شتاء مكياج فيلم زلزال عاصفة كسوف انتخابات فيضان حريق مباراة ملعب مهرجان أمطار جبل"
).split()
HINDI = (
    "प्यार नाच संगीत जीवन परिवार खुशी दोस्त सुंदर मजेदार स्कूल खाना रात त्योहार गाना बहन भाई माँ क्रिकेट चाय "
    "रसोई यात्रा समुद्र सर्दी फिल्म भूकंप बारिश ग्रहण चुनाव बाढ़ आग मैच शादी पहाड़ मेला"
).split()
CHINESE = (
    "爱情 跳舞 音乐 生活 家庭 快乐 朋友 美丽 搞笑 学校 美食 晚上 派对 小狗 小猫 歌曲 足球 咖啡 旅行 海边 "
    "冬天 化妆 电影 地震 台风 日食 演唱 暴雨"
).split()
JAPANESE = (
    "ダンス 音楽 生活 家族 友達 笑顔 学校 料理 夜景 誕生日 子犬 子猫 歌詞 野球 旅行 海岸 冬休み 映画 地震 "
    "台風 日食 花火 大雪 祭り"
).split()
THAI = (
    "ความรัก เต้นรำ ดนตรี ชีวิต ครอบครัว ความสุข เพื่อน สวยงาม ตลก โรงเรียน อาหาร กลางคืน ปาร์ตี้ บ้าน หมา "
    "แมว เพลง ฟุตบอล กาแฟ ทะเล หนัง แผ่นดินไหว น้ำท่วม พายุ"
).split()
KOREAN = (
    "사랑 댄스 음악 일상 가족 행복 친구 예쁜 웃긴 학교 음식 파티 강아지 고양이 노래 축구 커피 여행 바다 겨울 "
    "화장 영화 지진 태풍 일식 콘서트 폭설 축제"
).split()

LATIN_ONSETS = "b c d f g h j k l m n p r s t v z ch sh tr br st pl gr".split()
LATIN_VOWELS = "a e i o u ai ea oo".split()
SPANISH_VOWELS = "a e i o u á é í ó ú".split()
PORTUGUESE_VOWELS = "a e i o u ã ê õ ão".split()
CYRILLIC_ONSETS = "б в г д ж з к л м н п р с т ф х ц ч ш ст пр".split()
CYRILLIC_VOWELS = "а е и о у ы я ю ё".split()
ARABIC_ONSETS = "ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ع غ ف ق ك ل م ن ه".split()
ARABIC_VOWELS = "ا و ي".split()
DEVANAGARI_ONSETS = "क ख ग घ च छ ज ट ड त थ द ध न प फ ब भ म य र ल व श स ह".split()
DEVANAGARI_VOWELS = "ा ि ी ु ू े ै ो ौ".split()
HAN_CHARACTERS = list(
    "天地人山水火风云雨雪日月星光花草树木春夏秋冬东西南北中国家城市街路桥河江湖海岛船车马牛羊鸟鱼龙虎"
    "金银铜铁玉石土田米面茶酒书画诗词歌舞琴棋笔纸墨红黄蓝绿白黑紫青大小多少高低长短新旧快慢远近冷热真"
    "假好坏美丑心手足头眼口耳鼻父母子女兄弟姐妹师生友客王民兵医工农商"
)
KANA_SYLLABLES = list(
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわアイウエ"
    "オカキクケコサシスセソタチツテトナニヌネノ"
)
THAI_ONSETS = "ก ข ค ง จ ช ซ ด ต ถ ท น บ ป ผ พ ฟ ม ย ร ล ว ส ห อ".split()
THAI_VOWELS = "ะ า ิ ี ุ ู".split()
HANGUL_SYLLABLES = list(
    "가나다라마바사아자차카타파하거너더러머버서어저처고노도로모보소오조초구누두루무부수우주추그느드르"
    "므브스기니디리미비시이지치강산달별빛꽃봄길밤눈"
)

COMMON_TAGS = (
    "fyp foryou foryoupage viral tiktok duet trending parati fy xyzbca greenscreen comedy dance explore "
    "funnyvideo рекомендации اكسبلور フォロー 추천 抖音"
).split()
EMOJI = (
    "😂 ❤ 😍 🔥 ✨ 😭 🥰 👍 🎶 💕 😊 🙏 💃 😎 🎉 ☀ 🌈 💪 😅 🤣 🐶 🐱 🌸 🍕 ⚽ 🎂 👀 💯 🌙 ⭐ 🤔 😱 🥺 🙌 👏 "
    "🖤 💜 🇧🇷 🇲🇽 👩‍🍳 👍🏽 ❄ 🎧 🚀 🌊"
).split()

UNUSED_ONSETS = "w y q x wr qu".split()
UNUSED_VOWELS = "oo ee a i u o".split()
UNUSED_CYRILLIC_ONSETS = "щ дж кщ бр".split()
SIGNATURES = (
    "",
    "19 | follow for more",
    "don’t worry i don’t get the hype either",
    "IG: daily.clips\\nbusiness: mail in bio",
    "dance 💃 music 🎶",
    "жизнь прекрасна",
    "مصمم فيديو",
    "मुंबई से",
    "今天也要开心",
    "東京 🗼",
    "ชีวิตดีๆ",
    "안녕하세요 👋",
    'she/her \\"live laugh\\"',
    "Road to 100k ❤️",
    "cooking for two 🍳",
)
